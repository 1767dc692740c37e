"""What operators can set: the recipes that every symbol gets, by timeframe."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from services.indicators.domain.catalogue import parse
from services.indicators.domain.defaults import EVERY_TIMEFRAME, EXTRA
from shared.market.timeframes import Timeframe
from shared.service.settings import ServiceSettings


def _known(texts: tuple[str, ...]) -> tuple[str, ...]:
    for text in texts:
        parse(text)
    return texts


Texts = Annotated[tuple[str, ...], AfterValidator(_known)]


class IndicatorsSection(BaseModel):
    """Recipes as texts, such as ``rsi:14``: on every timeframe, and on single ones besides."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    every: Texts = Field(EVERY_TIMEFRAME, description="recipes of every timeframe")
    extra: dict[Timeframe, Texts] = Field(
        dict(EXTRA), description="further recipes of single timeframes"
    )
    subscriptions_max: Annotated[int, Field(ge=1, le=100_000)] = Field(
        500, description="recipes that one user may have subscribed"
    )


class IndicatorsSettings(ServiceSettings):
    """The service's settings."""

    indicators: IndicatorsSection = IndicatorsSection()
