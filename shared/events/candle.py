"""Candles: the value, and the event that says one is over."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from shared.events.base import Event, Micros, Name, Price, Value, stamp
from shared.market.timeframes import Timeframe

Origin = Literal["live", "seed", "backfill"]
Volume = Annotated[float, Field(ge=0, allow_inf_nan=False)]


def check_shape(open_: float, high: float, low: float, close: float) -> None:
    """Raise ValueError unless ``low <= open, close <= high``."""
    if not low <= min(open_, close) <= max(open_, close) <= high:
        raise ValueError(
            f"impossible candle: open {open_}, high {high}, low {low}, close {close}; "
            "low <= open, close <= high must hold"
        )


class Candle(Value):
    """Prices of one half-open window ``[open_at, at)``."""

    open_at: Micros
    at: Micros
    open: Price
    high: Price
    low: Price
    close: Price
    volume: Volume = 0.0

    @model_validator(mode="after")
    def _check(self) -> Self:
        check_shape(self.open, self.high, self.low, self.close)
        if self.open_at >= self.at:
            raise ValueError(f"candle ends at {self.at}, not after its start {self.open_at}")
        return self


class CandleClosed(Event):
    """A candle is over; what it says never changes again.

    ``at`` is the window's end, ``session_at`` the open of the session it belongs to, ``ticks`` the
    number of prices inside, ``pos`` the place of the ``close`` entry that ended it.
    """

    TYPE: ClassVar[str] = "candle_closed"
    TOPIC: ClassVar[str] = "candle_closed"

    timeframe: Timeframe
    open_at: Micros
    session_at: Micros
    open: Price
    high: Price
    low: Price
    close: Price
    volume: Volume
    ticks: Annotated[int, Field(ge=0)]
    source: Name
    origin: Origin
    cause: Name

    @model_validator(mode="after")
    def _check(self) -> Self:
        check_shape(self.open, self.high, self.low, self.close)
        if self.open_at >= self.at:
            raise ValueError(f"candle ends at {self.at}, not after its start {self.open_at}")
        return self

    @property
    def id(self) -> str:
        return candle_id(self.symbol, self.timeframe, self.at)

    @property
    def candle(self) -> Candle:
        """The bare prices."""
        return Candle(
            open_at=self.open_at,
            at=self.at,
            open=self.open,
            high=self.high,
            low=self.low,
            close=self.close,
            volume=self.volume,
        )


def candle_id(symbol: str, timeframe: Timeframe, at: int) -> str:
    """``candle_closed:EURUSD:15m:2026-11-20T09:15Z``, by the window's end."""
    return f"{CandleClosed.TYPE}:{symbol}:{timeframe}:{stamp(at)}"
