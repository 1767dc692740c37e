"""What of a provider's answer can be handed over: in order, once each, over, and whole windows."""

from collections import Counter
from collections.abc import Sequence
from typing import Literal, NamedTuple

from services.ingest.domain.asking import Given
from services.ingest.domain.rejections import LAST_TIME
from services.ingest.domain.sessions import SessionCalendar, window
from shared.market.timeframes import Timeframe

Dropped = Literal["empty", "duplicate", "disorder", "future", "window", "forming"]
"""Why a row is left out; ``disorder`` counts rows that stood too late and were put right."""


class Stretch(NamedTuple):
    """What was asked for, and by when (µs) a candle must have ended to be over for sure."""

    timeframe: Timeframe
    since: int
    until: int
    over: int


class Sound(NamedTuple):
    """A candle that stands in a window of its session, with the window's end."""

    given: Given
    at: int


class Screened(NamedTuple):
    """The candles to hand over, those dated in the future, and what was left out and why.

    ``seen`` is the latest time that the provider's candles tell of, forming ones included.
    """

    candles: tuple[Sound, ...]
    future: tuple[Given, ...]
    dropped: Counter[Dropped]
    seen: int


def screen(
    candles: Sequence[Given], stretch: Stretch, calendar: SessionCalendar, now: int
) -> Screened:
    """Sort out an answer. Prices are not judged here: the writer of the spine does, and says so.

    Times that no reader could hold are counted among those of the future, and told no further.
    """
    dropped: Counter[Dropped] = Counter()
    future = tuple(one for one in candles if now < one.open_at <= LAST_TIME)
    known = _once(candles, now, dropped)
    last = max(known, default=0)
    sound = []
    for open_at in sorted(known):
        if not stretch.since <= open_at < stretch.until:
            continue
        end = _window_end(calendar, stretch.timeframe, open_at)
        if end is None:
            dropped["window"] += 1
        elif end <= max(stretch.over, last):
            sound.append(Sound(known[open_at], end))
        else:
            dropped["forming"] += 1
    return Screened(tuple(sound), future, dropped, max(last, sound[-1].at if sound else 0))


def _once(candles: Sequence[Given], now: int, dropped: Counter[Dropped]) -> dict[int, Given]:
    """The last word on each opening."""
    known: dict[int, Given] = {}
    newest = 0
    for one in candles:
        if not 0 <= one.open_at <= now:
            dropped["future"] += 1
            continue
        if one.open_at in known:
            dropped["duplicate"] += 1
        elif one.open_at < newest:
            dropped["disorder"] += 1
        newest = max(newest, one.open_at)
        known[one.open_at] = one
    return known


def _window_end(calendar: SessionCalendar, timeframe: Timeframe, open_at: int) -> int | None:
    """The end of the window that opens there; None where none does."""
    span = calendar.at(open_at)
    if span is None:
        return None
    begins, end = window(timeframe, open_at, span)
    return end if begins == open_at else None
