"""What operators can set: which rule sets are on."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_settings import NoDecode

from shared.service.settings import ServiceSettings


def _split(value: object) -> object:
    if not isinstance(value, str):
        return value
    return tuple(part.strip() for part in value.split(",") if part.strip())


Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]


class SignalsSection(BaseModel):
    """Rule sets; lists are separated by commas."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sets: Words = Field(("liquidity",), description="built-in rule sets that are on")
    rules: Words = Field((), description="rule files of your own, see docs/rules.md")


class SignalsSettings(ServiceSettings):
    """The service's settings."""

    signals: SignalsSection = SignalsSection()
