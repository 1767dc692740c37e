"""The tables of the services here: where their migrations are, and how they stand."""

from importlib.util import find_spec
from pathlib import Path

from tideline.installed import installed
from tideline.settings import LauncherSettings


def folders() -> dict[str, Path]:
    """The migrations of every service here that has tables."""
    found = {name: find_spec(f"services.{name}.migrations") for name in installed()}
    return {
        name: Path(spec.origin).parent
        for name, spec in found.items()
        if spec is not None and spec.origin is not None
    }


def kept(settings: LauncherSettings) -> LauncherSettings:
    """The settings with the directory in which `up` keeps SQLite files."""
    data = settings.given_data_dir or settings.launcher.state_dir.absolute() / "data"
    return settings.model_copy(update={"data_dir": data})


async def standing(settings: LauncherSettings, name: str, folder: Path) -> str:
    """How one service's tables are, as text; nothing is made that is not there.

    Raises:
        StoreError: the tables cannot be reached.
        SettingsError: the database's address is none.
    """
    # Most commands do without tables, and their packages take time to import.
    from shared.store.address import address
    from shared.store.store import Store

    where = address(name, settings)
    if where.file is not None and not where.file.exists():
        return f"{name} has none yet; they will be in {where.where}"
    store = Store(name, settings, folder)
    try:
        revision, newest = await store.current(), store.migrations.newest
    finally:
        await store.close()
    behind = "" if revision == newest else f" ({newest} when it starts)"
    return f"{name} at revision {revision}{behind} in {where.where}"
