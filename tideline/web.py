"""Charts with the routes of every service on its port: the one origin of a laptop's browser.

In containers each service serves its own routes; here one process does for all.
"""

from collections.abc import Sequence
from functools import partial
from importlib import import_module
from importlib.util import find_spec

from services.charts.app import build_app
from services.charts.settings import ChartsSettings
from shared.service.frame import Service
from shared.service.main import main
from shared.service.web import Web
from tideline.installed import installed
from tideline.settings import classes


def _beside(service: Service) -> Sequence[Web]:
    """The routes of the other services that have some."""
    settings = classes()
    return [
        import_module(f"services.{name}.api").build_web(
            settings[name].load(), service.log, service.clock
        )
        for name in installed()
        if name != service.name and find_spec(f"services.{name}.api") is not None
    ]


if __name__ == "__main__":
    main(partial(build_app, beside=_beside), ChartsSettings)
