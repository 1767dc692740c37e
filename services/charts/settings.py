"""Settings of charts."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from shared.service.settings import ServiceSettings


class ChartsSection(BaseModel):
    """``TIDELINE_CHARTS__...``: how much is kept in memory and how clients are served."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    candles_kept: Annotated[int, Field(ge=10, le=100_000)] = Field(
        5_000, description="closed candles kept per symbol and timeframe"
    )
    signals_kept: Annotated[int, Field(ge=1, le=10_000)] = Field(
        200, description="signals kept per symbol"
    )
    alerts_kept: Annotated[int, Field(ge=1, le=10_000)] = Field(500, description="alerts kept")
    clients_max: Annotated[int, Field(ge=1, le=100_000)] = Field(
        500, description="WebSocket connections served at once"
    )
    waiting_max: Annotated[int, Field(ge=1, le=10_000)] = Field(
        100, description="messages waiting for one client before it gets a snapshot instead"
    )
    snapshot_candles: Annotated[int, Field(ge=1, le=5_000)] = Field(
        500, description="closed candles in a snapshot"
    )
    views_period_ms: Annotated[int, Field(ge=20, le=60_000)] = Field(
        250, description="how often the forming candles of watched symbols are looked at"
    )
    ping_s: Annotated[float, Field(gt=0, le=300)] = Field(
        5.0, description="seconds of silence after which a client gets a ping"
    )


class ChartsSettings(ServiceSettings):
    """All settings of charts."""

    charts: ChartsSection = ChartsSection()
