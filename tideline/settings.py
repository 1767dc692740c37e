"""The launcher's own settings, and the settings classes of every service."""

from functools import cache
from importlib import import_module
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from shared.service.settings import ServiceSettings
from tideline.installed import SERVICES as SERVICES
from tideline.installed import installed
from tideline.rundir import default_root


class LauncherSection(BaseModel):
    """Where the launcher keeps things."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    state_dir: Path = Field(
        Path(".tideline"), description="data of the embedded server and logs, kept by `up`"
    )
    run_dir: Path = Field(
        default_factory=default_root,
        description="sockets and notes of running launchers; only its owner may read it",
    )


class LauncherSettings(ServiceSettings):
    """What `demo`, `up` and the looking commands must know."""

    launcher: LauncherSection = LauncherSection()

    @property
    def given_redis_url(self) -> str | None:
        """REDIS_URL where somebody set it: then no embedded server is started."""
        given = "redis_url" in self.model_fields_set
        return self.redis_url.get_secret_value() if given else None

    @property
    def given_data_dir(self) -> Path | None:
        """Where SQLite files are to be, if somebody has said so."""
        return self.data_dir.absolute() if "data_dir" in self.model_fields_set else None

    @property
    def has_own_namespace(self) -> bool:
        """Whether somebody chose the namespace."""
        return "namespace" in self.model_fields_set


@cache
def classes() -> dict[str, type[ServiceSettings]]:
    """Every settings class of what is installed, by its section's name."""
    found: dict[str, type[ServiceSettings]] = {"launcher": LauncherSettings}
    for name in installed():
        module = import_module(f"services.{name}.settings")
        found[name] = getattr(module, f"{name.capitalize()}Settings")
    return found
