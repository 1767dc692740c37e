"""Why a price or candle is not taken: the checks, in the order in which they are told."""

from math import inf
from typing import NamedTuple

from services.ingest.domain.items import FeedCandle, FeedTick
from services.ingest.domain.lane import Lane
from services.ingest.domain.rejections import LAST_TIME, Why
from services.ingest.domain.sessions import window
from shared.events.base import stamp


class Fault(NamedTuple):
    """The kind, and the sentence for people."""

    why: Why
    reason: str


def tick_fault(lane: Lane, tick: FeedTick) -> Fault | None:
    """What is wrong with a price, if anything."""
    if not 0 < tick.price < inf:
        return Fault("number", f"price {tick.price} is not a positive number")
    if not 0 <= tick.size < inf:
        return Fault("number", f"size {tick.size} is not a number of zero or more")
    return _time_fault(lane, tick.at, lane.floor, "a price")


def candle_fault(lane: Lane, candle: FeedCandle) -> Fault | None:
    """What is wrong with a candle, if anything.

    A candle cannot join prices of its own window, for they are in it too: where the window has
    begun the candle is late. Only a fill may, and it brings no volume.
    """
    joins = candle.origin == "backfill" and candle.timeframe == "1m"
    begun = lane.floor if joins else max(lane.floor, lane.minute_end)
    return (
        _shape_fault(candle)
        or _time_fault(lane, candle.open_at, begun, f"a {candle.timeframe} candle")
        or _window_fault(lane, candle)
    )


def _time_fault(lane: Lane, at: int, floor: int, what: str) -> Fault | None:
    if not 0 <= at <= LAST_TIME:
        return Fault("unreadable", f"time {at} is not in microseconds since 1970")
    if at < floor:
        told = f"late: {what} of {stamp(at)}, but all before {stamp(floor)} is decided"
        return Fault("late", told)
    if lane.calendar.at(at) is None:
        session = lane.instrument.session
        told = (
            f"{stamp(at)} is outside its session: {lane.symbol} trades from {session.start} to "
            f"{session.end} {session.zone} time"
        )
        return Fault("session", told)
    return None


def _shape_fault(candle: FeedCandle) -> Fault | None:
    for name in ("open", "high", "low", "close"):
        price = getattr(candle, name)
        if not 0 < price < inf:
            return Fault("number", f"{name} {price} is not a positive number")
    if not 0 <= candle.volume < inf:
        return Fault("number", f"volume {candle.volume} is not a number of zero or more")
    if not candle.low <= min(candle.open, candle.close):
        return Fault("number", f"low {candle.low} is above open or close")
    if not candle.high >= max(candle.open, candle.close):
        return Fault("number", f"high {candle.high} is below open or close")
    return None


def _window_fault(lane: Lane, candle: FeedCandle) -> Fault | None:
    span = lane.calendar.at(candle.open_at)
    assert span is not None, "the session was checked before"
    open_at, end = window(candle.timeframe, candle.open_at, span)
    if (open_at, end) == (candle.open_at, candle.at):
        return None
    told = (
        f"a {candle.timeframe} candle from {stamp(candle.open_at)} to {stamp(candle.at)} is no "
        f"window of the session, which has {stamp(open_at)} to {stamp(end)} there"
    )
    return Fault("window", told)
