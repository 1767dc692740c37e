"""What the system knows of an instrument; on the spine as a ``config`` entry of kind instrument."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Kind = Literal["index", "fx", "metal", "future", "option", "volatility", "equity", "crypto"]


class Session(BaseModel):
    """Trading hours in local time of ``zone``; an end at or before the start is on the next day.

    ``days`` are the ISO weekdays (1 is Monday) on which a session *starts*. ``exceptions`` are
    the holidays and half-days by the local date of the start: ``closed`` or other hours,
    ``{"2026-11-26": "closed", "2026-11-27": "09:30-13:00"}``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    zone: str
    start: Annotated[str, Field(pattern=r"^\d\d:\d\d$")]
    end: Annotated[str, Field(pattern=r"^\d\d:\d\d$")]
    days: tuple[Annotated[int, Field(ge=1, le=7)], ...]
    exceptions: dict[
        Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$")],
        Annotated[str, Field(pattern=r"^(closed|\d\d:\d\d-\d\d:\d\d)$")],
    ] = Field(default_factory=dict)


class Instrument(BaseModel):
    """One tradable thing: its canonical symbol, session, tick size and names elsewhere.

    ``tick_size`` is the smallest price step, ``grace_ms`` how long after a window's end a feed may
    still deliver prices of it, ``names`` maps a provider to its own name of the instrument.
    ``calendar`` names whose holidays it keeps, as pandas_market_calendars does; empty for none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    symbol: str
    title: str
    kind: Kind
    session: Session
    calendar: str = ""
    tick_size: Annotated[float, Field(gt=0)]
    decimals: Annotated[int, Field(ge=0, le=8)]
    grace_ms: Annotated[int, Field(ge=0, le=60_000)] = 0
    names: dict[str, str] = Field(default_factory=dict)
