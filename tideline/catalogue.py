"""Every setting there is, found in the settings classes themselves."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import AliasChoices, BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined, to_json

from shared.bus.connection import masked
from shared.service.settings import PREFIX, ServiceSettings
from tideline.settings import classes

MASK = "********"
_URLS = {"REDIS_URL", "DATABASE_URL"}


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: the environment variable, its default (None if it has none), what it does."""

    name: str
    default: Any
    description: str
    is_secret: bool


def settings() -> list[Setting]:
    """Every setting of every service, the common ones first."""
    found = [
        _setting(_name(PREFIX, *item), item[1]) for item in ServiceSettings.model_fields.items()
    ]
    for section, cls in classes().items():
        field = cls.model_fields.get(section)
        if field is not None and isinstance(field.annotation, type):
            found += _nested(f"{PREFIX}{section.upper()}__", field.annotation)
    return found


def values(loaded: Mapping[str, ServiceSettings]) -> dict[str, str]:
    """Every setting's value in force as text, secrets masked; ``loaded`` by section."""
    common = next(iter(loaded.values()))
    found = {
        _name(PREFIX, name, field): _text(_name(PREFIX, name, field), getattr(common, name))
        for name, field in ServiceSettings.model_fields.items()
    }
    for section, one in loaded.items():
        nested = getattr(one, section, None)
        if isinstance(nested, BaseModel):
            found |= _flat(f"{PREFIX}{section.upper()}__", nested)
    return found


def _name(prefix: str, name: str, field: FieldInfo) -> str:
    alias = field.validation_alias
    if isinstance(alias, AliasChoices):
        return str(alias.choices[0])
    return f"{prefix}{name.upper()}"


def _setting(name: str, field: FieldInfo) -> Setting:
    default = None if field.default is PydanticUndefined else field.default
    secret = SecretStr in (field.annotation, *get_args(field.annotation))
    return Setting(name, default, field.description or "", secret)


def _nested(prefix: str, model: type[BaseModel]) -> Iterator[Setting]:
    for name, field in model.model_fields.items():
        inner = _model(field)
        if inner is None:
            yield _setting(f"{prefix}{name.upper()}", field)
        else:
            yield from _nested(f"{prefix}{name.upper()}__", inner)


def _model(field: FieldInfo) -> type[BaseModel] | None:
    """The section that a field is, optional or not."""
    kinds = (field.annotation,)
    if get_origin(field.annotation) in (Union, UnionType):
        kinds = get_args(field.annotation)
    for kind in kinds:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind
    return None


def _flat(prefix: str, section: BaseModel) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in type(section).model_fields:
        value = getattr(section, name)
        if isinstance(value, BaseModel):
            found |= _flat(f"{prefix}{name.upper()}__", value)
        else:
            found[f"{prefix}{name.upper()}"] = _text(f"{prefix}{name.upper()}", value)
    return found


def _text(name: str, value: Any) -> str:
    if isinstance(value, SecretStr):
        return masked(value.get_secret_value()) if name in _URLS else MASK
    if value is None:
        return ""
    return str(value) if isinstance(value, str | int | float | Path) else to_json(value).decode()
