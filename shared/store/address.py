"""Where one service's tables are."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from shared.service.settings import ServiceSettings, SettingsError

# Forms of address that people have in their environment already.
_POSTGRES = ("postgres", "postgresql", "postgresql+asyncpg")
_MEND = "DATABASE_URL must be postgresql://USER:PASSWORD@HOST:PORT/NAME"


@dataclass(frozen=True, slots=True)
class Address:
    """A service's schema in PostgreSQL, or its SQLite file.

    ``where`` names it for people, without user and password.
    """

    service: str
    url: URL
    file: Path | None

    @property
    def where(self) -> str:
        if self.file is not None:
            return str(self.file)
        port = "" if self.url.port is None else f":{self.url.port}"
        return f"postgresql://{self.url.host or ''}{port}/{self.url.database or ''}"


def address(service: str, settings: ServiceSettings) -> Address:
    """Where the settings put a service's tables.

    Raises:
        SettingsError: the address is none of a PostgreSQL.
    """
    if settings.database_url is None:
        file = settings.data_dir / f"{service}.sqlite3"
        return Address(service, URL.create("sqlite+aiosqlite", database=str(file)), file)
    try:
        url = make_url(settings.database_url.get_secret_value())
    except (ArgumentError, ValueError):
        raise SettingsError(_MEND) from None
    if url.drivername not in _POSTGRES:
        raise SettingsError(f"{_MEND}, not {url.drivername}")
    return Address(service, _for_asyncpg(url), None)


def _for_asyncpg(url: URL) -> URL:
    query = dict(url.query)
    if "sslmode" in query:  # libpq's word for it
        query["ssl"] = query.pop("sslmode")
    return url.set(drivername="postgresql+asyncpg", query=query)
