"""Entries for tests: recorded ones from ``samples``, and any that a model allows."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from hypothesis import strategies as st

from shared.events import (
    AlertFired,
    Candle,
    CandleClosed,
    CandleIn,
    Close,
    Config,
    ConfigPassed,
    ConfigRequested,
    DeadLetter,
    Ended,
    Event,
    Gap,
    Heartbeat,
    Level,
    LevelComputed,
    Ops,
    SignalGenerated,
    Source,
    Tick,
    Watermark,
    Window,
    Zone,
)
from shared.events.alert import AlertStatus
from shared.events.candle import Origin
from shared.events.level import EndedBy, Side
from shared.events.ops import OpsKind
from shared.events.signal import Action, Direction
from shared.market.timeframes import TIMEFRAMES, Timeframe

SAMPLES = Path(__file__).parent / "samples"
EXACT_MAX = 2**53 - 1

Strategy = st.SearchStrategy[Any]


@dataclass(frozen=True, slots=True)
class Sample:
    """An entry written down by hand, as it stood in a stream once, with its event's id."""

    name: str
    id: str
    fields: tuple[str, ...]


def samples() -> list[Sample]:
    """Every recorded entry: a file a type and version, a line a field, the id first."""
    return [_sample(path) for path in sorted(SAMPLES.glob("*.txt"))]


def sample(name: str) -> Sample:
    """One recorded entry, such as ``tick.v1``."""
    return _sample(SAMPLES / f"{name}.txt")


def _sample(path: Path) -> Sample:
    lines = [line.partition(" ") for line in path.read_text("utf-8").splitlines()]
    (_, _, event_id), *fields = lines
    flat = tuple(part for name, _, value in fields for part in (name, value))
    return Sample(path.stem, event_id, flat)


def as_read(event: Event) -> list[str]:
    """An event's fields as a client reads them back: Redis keeps every value as text."""
    return [str(value) for value in event.wire()]


# Anything but what ids and keys are made of, what JSON cannot hold, and spaces.
_letters = st.characters(exclude_categories=("C", "Z"), exclude_characters=":{}")
_words = st.text(_letters, min_size=1, max_size=12)
_symbols = st.lists(_words, min_size=1, max_size=3).map(" ".join)
_names = st.text(min_size=1, max_size=40)
_times = st.integers(0, EXACT_MAX)
_counts = st.integers(0, 10**9)
_finite = st.floats(allow_nan=False, allow_infinity=False)
_prices = st.floats(min_value=0, exclude_min=True, allow_infinity=False)
_sizes = st.floats(min_value=0, allow_infinity=False)
_timeframes = st.sampled_from(TIMEFRAMES)
_bodies = st.dictionaries(_names, st.one_of(_finite, _names, st.booleans(), st.none()), max_size=4)


def _one_of(literal: object) -> Strategy:
    return st.sampled_from(get_args(literal))


def _ordered(count: int) -> Strategy:
    """That many times, none before the one before it."""
    return st.lists(_times, min_size=count, max_size=count).map(sorted)


@st.composite
def _shapes(draw: st.DrawFn) -> dict[str, Any]:
    """The prices and window of a candle."""
    low, one, other, high = sorted(draw(st.lists(_prices, min_size=4, max_size=4)))
    opens_low = draw(st.booleans())
    start = draw(st.integers(0, EXACT_MAX - 1))
    return {
        "open_at": start,
        "at": draw(st.integers(start + 1, EXACT_MAX)),
        "open": one if opens_low else other,
        "high": high,
        "low": low,
        "close": other if opens_low else one,
        "volume": draw(_sizes),
    }


@st.composite
def _levels(draw: st.DrawFn) -> Level:
    formed, confirmed = draw(_ordered(2))
    return Level(
        key=draw(_names),
        price=draw(_finite),
        side=draw(_one_of(Side)),
        formed_at=formed,
        confirmed_at=confirmed,
    )


@st.composite
def _zones(draw: st.DrawFn) -> Zone:
    formed, confirmed = draw(_ordered(2))
    low, high = sorted((draw(_finite), draw(_finite)))
    return Zone(
        key=draw(_names),
        low=low,
        high=high,
        side=draw(_one_of(Side)),
        formed_at=formed,
        confirmed_at=confirmed,
        status=draw(_names),
    )


def _built(model: Callable[..., Event], **parts: Strategy) -> Strategy:
    """Events of a model; parts named ``_`` draw several fields at once."""

    def build(values: dict[str, Any]) -> Event:
        several = values.pop("_", {})
        return model(**values | several)

    return st.fixed_dictionaries({"symbol": _symbols, "pos": _counts} | parts).map(build)


def _windows(start: int, names: set[Timeframe]) -> tuple[Window, ...]:
    chosen = [timeframe for timeframe in TIMEFRAMES if timeframe in names]
    return tuple(Window(timeframe=timeframe, open_at=start) for timeframe in chosen)


_closing = st.tuples(
    st.integers(0, EXACT_MAX - 1), st.sets(_timeframes, min_size=1), st.integers(0, 10**12)
).map(
    lambda drawn: {
        "at": min(drawn[0] + 1 + drawn[2], EXACT_MAX),
        "session_at": drawn[0],
        "windows": _windows(drawn[0], drawn[1]),
    }
)
_candle_alone = _shapes().map(lambda shape: {"at": shape["at"], "candle": Candle(**shape)})
_expiring = st.tuples(_ordered(2), st.booleans()).map(
    lambda drawn: {"at": drawn[0][0], "expires_at": drawn[0][1] if drawn[1] else None}
)

EVENTS: dict[type[Event], Strategy] = {
    Tick: _built(Tick, at=_times, price=_prices, size=_sizes, source=_names, n=_counts),
    Close: _built(Close, _=_closing),
    CandleIn: _built(
        CandleIn, _=_shapes(), timeframe=_timeframes, source=_names, origin=_one_of(Origin)
    ),
    Config: _built(Config, at=_times, kind=_names, name=_names, version=_names, body=_bodies),
    Source: _built(Source, at=_times, source=_names, delay_ms=_sizes),
    Gap: _built(Gap, _=_ordered(2).map(lambda two: {"since": two[0], "at": two[1]}), reason=_names),
    Heartbeat: _built(Heartbeat, at=_times),
    CandleClosed: _built(
        CandleClosed,
        _=_shapes(),
        timeframe=_timeframes,
        session_at=_times,
        ticks=_counts,
        source=_names,
        origin=_one_of(Origin),
        cause=_names,
    ),
    LevelComputed: _built(
        LevelComputed,
        _=_candle_alone,
        timeframe=_timeframes,
        session_at=_times,
        origin=_one_of(Origin),
        levels=st.lists(_levels(), max_size=2).map(tuple),
        values=st.dictionaries(_names, _finite, max_size=2),
        zones=st.lists(_zones(), max_size=2).map(tuple),
        ended=st.lists(st.builds(Ended, ref=_names, by=_one_of(EndedBy)), max_size=1).map(tuple),
        unready=st.lists(_names, max_size=2).map(tuple),
        cause=_names,
    ),
    SignalGenerated: _built(
        SignalGenerated,
        _=_expiring,
        config=_names,
        rule=_names,
        rule_version=_names,
        action=_one_of(Action),
        direction=_one_of(Direction),
        timeframe=_timeframes,
        level=_names,
        level_price=_finite,
        price=_prices,
        gap=st.booleans(),
        operands=st.dictionaries(_names, _finite, max_size=2),
        reason=_names,
        cause=_names,
    ),
    AlertFired: _built(
        AlertFired,
        at=_times,
        channel=_names,
        signal=_names,
        status=_one_of(AlertStatus),
        attempts=_counts,
        text=st.text(max_size=40),
        detail=st.text(max_size=40),
        fired_at=_times,
        cause=_names,
    ),
    Ops: _built(
        Ops, at=_times, service=_names, worker=_names, kind=_one_of(OpsKind), detail=_names
    ),
    Watermark: _built(Watermark, at=_times),
    ConfigPassed: _built(
        ConfigPassed, at=_times, kind=_names, name=_names, version=_names, body=_bodies
    ),
    ConfigRequested: _built(
        ConfigRequested, at=_times, kind=_names, name=_names, version=_names, body=_bodies
    ),
    DeadLetter: _built(
        DeadLetter,
        at=_times,
        stage=_names,
        topic=_names,
        entry=_names,
        reason=_names,
        digest=_names,
        body=st.lists(st.text(max_size=9), max_size=4),
    ),
}
