"""Settings that every service has, and how all settings are found.

Order: argument, environment, ``.env``, file (``tideline.toml`` or ``TIDELINE_CONFIG``), default.
Any key may be given as ``<KEY>_FILE`` naming a file that holds the value. Unknown keys are errors.
"""

import os
import socket
import tomllib
from collections.abc import Mapping
from json import JSONDecodeError
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from pydantic_settings import SettingsError as UnreadableError
from redis.asyncio.connection import parse_url

from shared.bus.keys import DEFAULT_NAMESPACE, Keys
from shared.bus.partitions import DEFAULT_PARTITIONS
from shared.events.codec import first_reason

PREFIX = "TIDELINE_"
SECTIONS = ("ingest", "indicators", "signals", "notifier", "charts", "launcher")
_FILE = "_FILE"
_DEFAULT_FILE = "tideline.toml"
# Keys without our prefix that are ours all the same, by long custom of containers.
_BARE = ("REDIS_URL", "DATABASE_URL", "LOG_LEVEL")
_DATABASES = ("postgres", "postgresql", "postgresql+asyncpg")
# Read before anything else, so they are no fields.
_BOOTSTRAP = ("config",)

LogLevel = Literal["debug", "info", "warning", "error"]
Port = Annotated[int, Field(ge=0, le=65535)]


class SettingsError(Exception):
    """A setting is wrong; the message names it and the mend."""


class ServiceSettings(BaseSettings):
    """What every service must know. A service adds one section of its own."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        frozen=True,
        extra="forbid",
        populate_by_name=True,
    )

    redis_url: SecretStr = Field(
        SecretStr("redis://127.0.0.1:6379/0"),
        validation_alias=AliasChoices("REDIS_URL", "TIDELINE_REDIS_URL", "redis_url"),
        description="Redis or Valkey that carries the log",
    )
    database_url: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices("DATABASE_URL", "TIDELINE_DATABASE_URL", "database_url"),
        description="PostgreSQL for services scaled beyond one replica; SQLite files if unset",
    )
    data_dir: Path = Field(
        Path(".tideline/data"),
        description="SQLite files, one a service with tables; `up` keeps them in its state "
        "directory unless this is set",
    )
    archive_dir: Path | None = Field(
        None,
        description="where recorded topics are kept, a folder a namespace; `archive` in the data "
        "directory if unset",
    )
    log_level: LogLevel = Field(
        "info",
        validation_alias=AliasChoices("LOG_LEVEL", "TIDELINE_LOG_LEVEL", "log_level"),
        description="least severe line that is logged",
    )
    log_format: Literal["console", "json"] = Field("console", description="shape of log lines")
    namespace: str = Field(
        DEFAULT_NAMESPACE,
        pattern=r"^[a-z0-9_-]{1,40}$",
        description="first word of every key in Redis",
    )
    partitions: int = Field(
        DEFAULT_PARTITIONS, ge=1, le=256, description="never changed in a living namespace"
    )
    dead_letter_share: float = Field(
        0.5,
        gt=0,
        le=1,
        description="a stage stops where more than this share of its last 200 entries (50 at "
        "least) would be dead letters; 1 lets it go on whatever comes",
    )
    worker: str = Field(
        default_factory=lambda: f"{socket.gethostname()}-{os.getpid()}",
        min_length=1,
        description="this process's name among its service's replicas",
    )
    public_host: str = Field("127.0.0.1", description="address of the public port")
    public_port: Port = Field(8000, description="page and API")
    internal_host: str = Field("127.0.0.1", description="address of the internal port")
    internal_port: Port = Field(8080, description="health, metrics and documents; 0 is any free")

    @field_validator("redis_url")
    @classmethod
    def _check_redis(cls, given: SecretStr) -> SecretStr:
        try:
            parse_url(given.get_secret_value())
        except ValueError:
            raise ValueError(
                "must be redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE], rediss:// likewise with "
                "TLS, or unix://PATH"
            ) from None
        return given

    @field_validator("database_url")
    @classmethod
    def _check_database(cls, given: SecretStr | None) -> SecretStr | None:
        text = "" if given is None else given.get_secret_value()
        if not text:  # as Compose files hand on what nobody has set
            return None
        if urlsplit(text).scheme not in _DATABASES:
            raise ValueError("must be postgresql://USER:PASSWORD@HOST:PORT/NAME; unset is SQLite")
        return given

    @property
    def keys(self) -> Keys:
        """Key names of this namespace."""
        return Keys(self.namespace, self.partitions)

    @property
    def archive(self) -> Path:
        """Where recorded topics are kept."""
        return self.data_dir / "archive" if self.archive_dir is None else self.archive_dir

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (
            init_settings,
            _Environment(settings_cls),
            _File(settings_cls, _config_file()),
        )

    @classmethod
    def load(cls, **given: Any) -> Self:
        """Find all settings.

        Raises:
            SettingsError: one is unknown, malformed or unreadable; the message is one line.
        """
        _refuse_unknown(cls)
        try:
            return cls(**given)
        except ValidationError as error:
            raise SettingsError(_told(error)) from None
        except UnreadableError as error:
            raise SettingsError(_unreadable(error)) from None


SettingsT = TypeVar("SettingsT", bound=ServiceSettings)


class _Environment(EnvSettingsSource):
    """The environment over ``.env``, with ``<KEY>_FILE`` replaced by what the file holds."""

    def _load_env_vars(self) -> Mapping[str, str | None]:
        known = set(self.settings_cls.model_fields)
        return {
            name.lower(): value
            for name, value in environment().items()
            if name in _BARE or _head(name) in known
        }


class _File(PydanticBaseSettingsSource):
    """``tideline.toml``: the fields at its top, one table a service."""

    def __init__(self, settings_cls: type[BaseSettings], path: Path | None) -> None:
        super().__init__(settings_cls)
        self._values = {} if path is None else _read_toml(path)

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        return self._values.get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        known = set(self.settings_cls.model_fields)
        foreign = set(SECTIONS) - known
        # Under the same name as in the environment, or the two layers would be two settings.
        return {
            name.upper() if name.upper() in _BARE else name: value
            for name, value in self._values.items()
            if name not in foreign
        }


def environment() -> dict[str, str]:
    """Our variables from the environment and ``.env``, secrets read from their files.

    Raises:
        SettingsError: a ``_FILE`` variable names a file that cannot be read.
    """
    written = {name: value for name, value in dotenv_values(".env").items() if value is not None}
    return _ours(written) | _ours(os.environ)


def _ours(variables: Mapping[str, str]) -> dict[str, str]:
    """One layer's variables of ours, each under one name."""
    found = {}
    for name, value in variables.items():
        # A setting that is itself called file (TIDELINE_INGEST__FILE) names no secret.
        bare = name if name.endswith(f"_{_FILE}") else name.removesuffix(_FILE)
        if not (name.startswith(PREFIX) or bare in _BARE):
            continue
        if bare == name:
            found[name] = value
        elif bare not in variables:
            found[bare] = _read_secret(name, value)
    for name in _BARE:
        prefixed = found.pop(PREFIX + name, None)
        if prefixed is not None:
            found.setdefault(name, prefixed)
    return found


def _read_secret(name: str, path: str) -> str:
    try:
        return Path(path).read_text("utf-8").strip()
    except OSError as error:
        raise SettingsError(f"{name}: cannot read {path} ({error.strerror})") from None


def _refuse_unknown(settings: type[ServiceSettings]) -> None:
    known = {*settings.model_fields, *ServiceSettings.model_fields, *SECTIONS, *_BOOTSTRAP}
    for name in environment():
        if name not in _BARE and _head(name) not in known:
            raise SettingsError(f"unknown setting {name}; see docs/settings.md for all settings")


def _head(name: str) -> str:
    return name.removeprefix(PREFIX).split("__")[0].lower()


def _config_file() -> Path | None:
    named = environment().get(f"{PREFIX}CONFIG")
    if named is not None:
        return Path(named)
    default = Path(_DEFAULT_FILE)
    return default if default.is_file() else None


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise SettingsError(f"cannot read settings file {path} ({error.strerror})") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"settings file {path} is no TOML: {error}") from None


def _told(error: ValidationError) -> str:
    complaint = error.errors(include_url=False, include_context=False)[0]
    where = "__".join(str(part) for part in complaint["loc"])
    name = where if where in _BARE else f"{PREFIX}{where.upper()}"
    if complaint["type"] == "extra_forbidden":
        return f"unknown setting {name}; see docs/settings.md for all settings"
    return f"setting {name}: {first_reason(error).split(': ', 1)[-1]}"


def _unreadable(error: UnreadableError) -> str:
    cause = error.__cause__
    if not isinstance(cause, JSONDecodeError):
        return str(error)
    name = next((name for name, value in environment().items() if value == cause.doc), "")
    return f"setting {name}: no JSON ({cause.msg}, character {cause.pos + 1})"
