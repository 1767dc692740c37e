"""Which tests stay together when several processes share the work.

pytest-xdist 3.8 hands its own ``xdist_group`` marks on in a way that pytest 9.2 no longer sees
(pytest-xdist issue 1386): tests are spread as if there were no marks. So groups are paths here.
"""

from xdist.scheduler import LoadScopeScheduling

# Beginnings of test ids whose tests are in each other's way, or share what is dear to set up.
TOGETHER = (
    "tests/containers/",
    "tests/charts/test_page.py",
    "tests/cli/test_demo.py",
)


class Scheduling(LoadScopeScheduling):  # type: ignore[misc]
    """Every test by itself to whoever is free, but one group to one process."""

    def _split_scope(self, nodeid: str) -> str:
        return next((group for group in TOGETHER if nodeid.startswith(group)), nodeid)
