"""Every setting there is, found in the settings classes themselves."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import AliasChoices, BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefinedType, to_json
from pydantic_settings import NoDecode

from shared.bus.connection import masked
from shared.service.settings import PREFIX, ServiceSettings
from tideline.settings import classes

MASK = "********"
COMMON = "common"
# Shown without user and password; other secrets are not shown at all.
_ADDRESSES = {"redis_url", "database_url"}


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: the environment variable, whose it is, its default, and what it does.

    ``default`` is the text to set it to; empty if there is none, or if it is found at start.
    """

    name: str
    section: str
    default: str
    description: str


def settings() -> list[Setting]:
    """Every setting of every service, the common ones first."""
    found = [
        Setting(_name(name, field), COMMON, _default(name, field), field.description or "")
        for name, field in ServiceSettings.model_fields.items()
    ]
    for section, cls in classes().items():
        model = _model(cls.model_fields[section])
        if model is not None:
            found += _nested(section, f"{PREFIX}{section.upper()}__", model)
    return found


def values(loaded: Mapping[str, ServiceSettings]) -> dict[str, str]:
    """Every setting's value in force as text, secrets masked; ``loaded`` by section."""
    common = next(iter(loaded.values()))
    found = {
        _name(name, field): _text(name, field, getattr(common, name))
        for name, field in ServiceSettings.model_fields.items()
    }
    for section, one in loaded.items():
        found |= _flat(f"{PREFIX}{section.upper()}__", getattr(one, section))
    return found


def _name(name: str, field: FieldInfo) -> str:
    alias = field.validation_alias
    return str(alias.choices[0]) if isinstance(alias, AliasChoices) else f"{PREFIX}{name.upper()}"


def _nested(section: str, prefix: str, model: type[BaseModel]) -> Iterator[Setting]:
    for name, field in model.model_fields.items():
        inner = _model(field)
        if inner is None:
            yield Setting(
                f"{prefix}{name.upper()}", section, _default(name, field), field.description or ""
            )
        else:
            yield from _nested(section, f"{prefix}{name.upper()}__", inner)


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
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        if isinstance(value, BaseModel):
            found |= _flat(f"{prefix}{name.upper()}__", value)
        else:
            found[f"{prefix}{name.upper()}"] = _text(name, field, value)
    return found


def _default(name: str, field: FieldInfo) -> str:
    match field.default:
        case PydanticUndefinedType():
            return ""
        case SecretStr() as known:  # a default is in the code for everybody to read
            return known.get_secret_value()
        case default:
            return _text(name, field, default)


def _text(name: str, field: FieldInfo, value: Any) -> str:
    """A value as it would be set, unless it is a secret."""
    match value:
        case None:
            return ""
        case SecretStr():
            return masked(value.get_secret_value()) if name in _ADDRESSES else MASK
        case str() | Path():
            return str(value)
        case tuple() if NoDecode in field.metadata:
            return ",".join(map(str, value))
        case _:
            return to_json(value).decode()
