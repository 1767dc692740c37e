"""What events are made of: ids to be read, times that are exact, invariants kept when built."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.events import (
    Candle,
    CandleClosed,
    CandleIn,
    Close,
    Event,
    Gap,
    Level,
    LevelComputed,
    SignalGenerated,
    Source,
    Tick,
    Zone,
)
from shared.events.base import micros, moment, stamp
from shared.events.candle import candle_id
from shared.events.codec import decode_one
from tests.events.entries import EVENTS, EXACT_MAX, sample

NINE = 1_795_165_200_000_000  # 2026-11-20 09:00 UTC
QUARTER_PAST = NINE + 15 * 60_000_000

CANDLE = {
    "open_at": NINE, "at": QUARTER_PAST, "open": 2.0, "high": 4.0, "low": 1.0, "close": 3.0,
}  # fmt: skip
LEVEL = {"key": "swing.high", "price": 4.0, "side": "resistance", "formed_at": 5, "confirmed_at": 9}
ZONE = {
    "key": "fair_value_gap.up", "low": 1.0, "high": 2.0, "side": "support",
    "formed_at": 5, "confirmed_at": 9, "status": "open",
}  # fmt: skip


def recorded(name: str) -> dict[str, Any]:
    """A recorded event's values, to be built anew with some changed."""
    event = decode_one(sample(name).fields)
    assert isinstance(event, Event)
    return {field: getattr(event, field) for field in type(event).model_fields}


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (0, "1970-01-01T00:00Z"),
        (NINE, "2026-11-20T09:00Z"),
        (NINE + 3_000_000, "2026-11-20T09:00:03Z"),
        (NINE + 250, "2026-11-20T09:00:00.000250Z"),
        (951_782_400_000_000, "2000-02-29T00:00Z"),
        (EXACT_MAX, "2255-06-05T23:47:34.740991Z"),
    ],
)
def test_a_stamp_is_as_short_as_it_is_exact(at: int, text: str) -> None:
    """Seconds and microseconds are written only where there are any."""
    assert stamp(at) == text
    assert micros(datetime.fromisoformat(text)) == at
    assert moment(at) == datetime.fromisoformat(text)


@given(st.integers(0, EXACT_MAX), st.integers(0, EXACT_MAX))
def test_a_stamp_is_of_one_moment_only(one: int, other: int) -> None:
    """Different times have different stamps, and a stamp can be read back."""
    assert (stamp(one) == stamp(other)) == (one == other)
    assert micros(datetime.fromisoformat(stamp(one))) == one


@given(st.integers(0, EXACT_MAX))
def test_times_are_exact_in_javascript(at: int) -> None:
    """A number of 53 bits holds every time that an event can have."""
    assert int(float(at)) == at


@pytest.mark.parametrize("at", [-1, 2**53, 1.5, "soon", None])
def test_no_event_has_an_impossible_time(at: object) -> None:
    """Before 1970, beyond what JavaScript can hold, between two microseconds, or none at all."""
    with pytest.raises(ValidationError, match="at"):
        Tick(**recorded("tick.v1") | {"at": at})


def test_a_time_without_a_zone_is_refused() -> None:
    """Nobody knows which moment it is."""
    with pytest.raises(ValueError, match="has no time zone; give one"):
        micros(datetime(2026, 11, 20, 9))  # noqa: DTZ001 - that is what is refused
    new_york = timezone(timedelta(hours=-5))
    assert micros(datetime(2026, 11, 20, 4, tzinfo=new_york)) == NINE
    assert micros(datetime(2026, 11, 20, 9, tzinfo=UTC)) == NINE


def test_candle_ids_are_by_the_windows_end() -> None:
    """Anybody can say a candle's id without having seen it."""
    assert candle_id("EURUSD", "15m", QUARTER_PAST) == "candle_closed:EURUSD:15m:2026-11-20T09:15Z"
    assert candle_id("NIFTY 50", "1d", NINE) == "candle_closed:NIFTY 50:1d:2026-11-20T09:00Z"


def test_ticks_of_one_moment_have_their_own_ids() -> None:
    """``n`` tells equal times apart."""
    first, second = (Tick(**recorded("tick.v1") | {"n": n}) for n in (0, 1))
    assert first.id == "tick:EURUSD:demo:2026-11-20T09:14:59.000250Z:0"
    assert second.id == "tick:EURUSD:demo:2026-11-20T09:14:59.000250Z:1"


def test_a_level_is_told_from_an_earlier_one_of_its_key() -> None:
    """A ref holds the time the level formed."""
    assert Level.model_validate(LEVEL | {"formed_at": 0}).ref == "swing.high@1970-01-01T00:00Z"
    assert Zone.model_validate(ZONE | {"formed_at": 0}).ref == (
        "fair_value_gap.up@1970-01-01T00:00Z"
    )


@pytest.mark.parametrize("name", ["candle_closed.v1", "signal_generated.v1", "ops.v1"])
def test_events_never_change(name: str) -> None:
    """What was told once stays told; an id is made of content that cannot move."""
    event = decode_one(sample(name).fields)
    with pytest.raises(ValidationError, match="frozen"):
        event.symbol = "DAX"  # type: ignore[misc, union-attr]


def test_a_misspelt_field_is_refused_when_built() -> None:
    """Readers pass over what they do not know; builders must not."""
    with pytest.raises(ValidationError, match="prise"):
        Tick(**recorded("tick.v1") | {"prise": 1.0})


@pytest.mark.parametrize("model", [Candle, CandleClosed, CandleIn])
@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"high": 2.5}, "impossible candle: open 2.0, high 2.5, low 1.0, close 3.0"),
        ({"low": 2.5}, "low <= open, close <= high must hold"),
        ({"high": 0.5, "low": 4.0}, "impossible candle"),
        ({"open": 0.0}, "open"),
        ({"close": -1.0}, "close"),
        ({"high": float("inf")}, "high"),
        ({"low": float("nan")}, "low"),
        ({"volume": -1.0}, "volume"),
        ({"volume": float("inf")}, "volume"),
        ({"open_at": QUARTER_PAST}, "candle ends at 1795166100000000, not after its start"),
    ],
)
def test_no_candle_is_impossible(model: type[Any], changed: dict[str, Any], why: str) -> None:
    """Low and high hold open and close, prices are finite and positive, windows have a length."""
    rest = {} if model is Candle else recorded(f"{model.TYPE}.v1")
    values = rest | CANDLE | {"volume": 0.0}
    model(**values)
    with pytest.raises(ValidationError, match=why):
        model(**values | changed)


def test_a_flat_candle_is_possible() -> None:
    """One price may be all four."""
    Candle.model_validate(CANDLE | {"open": 1.0, "high": 1.0, "close": 1.0})


@pytest.mark.parametrize("price", [0.0, -1.0, float("nan"), float("inf"), "cheap"])
def test_no_tick_has_an_impossible_price(price: object) -> None:
    """Zero, negative, not a number, endless."""
    with pytest.raises(ValidationError, match="price"):
        Tick(**recorded("tick.v1") | {"price": price})


@pytest.mark.parametrize("symbol", ["", "A:B", "{A}", " A", "A ", "A  B", "A\tB", "A" * 41])
def test_symbols_can_stand_in_ids_and_keys(symbol: str) -> None:
    """No colon, no brace, single spaces inside, at most 40 characters."""
    with pytest.raises(ValidationError, match="symbol"):
        Tick(**recorded("tick.v1") | {"symbol": symbol})


@pytest.mark.parametrize("symbol", ["^GDAXI", "NIFTY 50", "GC=F", "*", "日経225", "A" * 40])
def test_symbols_that_people_use_are_taken(symbol: str) -> None:
    """Carets, spaces, equals signs and other alphabets."""
    assert Tick(**recorded("tick.v1") | {"symbol": symbol}).symbol == symbol


@pytest.mark.parametrize(
    ("model", "values", "changed", "why"),
    [
        (Level, LEVEL, {"confirmed_at": 4}, "level swing.high is confirmed before it formed"),
        (Level, LEVEL, {"price": float("nan")}, "price"),
        (Zone, ZONE, {"confirmed_at": 4}, "zone fair_value_gap.up is confirmed before it formed"),
        (Zone, ZONE, {"low": 3.0}, "has its low 3.0 above its high 2.0"),
    ],
)
def test_levels_and_zones_make_sense(
    model: type[Any], values: dict[str, Any], changed: dict[str, Any], why: str
) -> None:
    """Nothing is known before it happened, and no zone is upside down."""
    model(**values)
    with pytest.raises(ValidationError, match=why):
        model(**values | changed)


def windows(*names: str, open_at: int = NINE) -> list[dict[str, Any]]:
    return [{"timeframe": name, "open_at": open_at} for name in names]


@pytest.mark.parametrize(
    ("model", "name", "changed", "why"),
    [
        (Close, "close.v1", {"windows": ()}, "names at least one timeframe"),
        (Close, "close.v1", {"windows": windows("15m", "1m")}, "from the shortest to the longest"),
        (Close, "close.v1", {"windows": windows("1m", "1m")}, "names each timeframe once"),
        (Close, "close.v1", {"windows": windows("1m", open_at=QUARTER_PAST)}, "after the start"),
        (Gap, "gap.v1", {"since": QUARTER_PAST + 1}, "gap begins at 1795166100000001, after"),
        (Source, "source.v1", {"delay_ms": -1.0}, "delay_ms"),
        (LevelComputed, "level_computed.v1", {"at": QUARTER_PAST + 1}, "candle ends at 1795"),
        (LevelComputed, "level_computed.v1", {"values": {"x": float("nan")}}, "values.x"),
        (SignalGenerated, "signal_generated.v1", {"expires_at": NINE}, "before it fires"),
        (SignalGenerated, "signal_generated.v1", {"operands": {"x": float("inf")}}, "operands.x"),
    ],
)
def test_no_event_says_the_impossible(
    model: type[Event], name: str, changed: dict[str, Any], why: str
) -> None:
    """Times stand in their order, numbers are numbers, and what must be named is named."""
    values = recorded(name)
    model(**values)
    with pytest.raises(ValidationError, match=why):
        model(**values | changed)


def test_a_signal_may_never_expire() -> None:
    """Positional signals have no end; on the wire the field is there and empty."""
    signal = SignalGenerated(**recorded("signal_generated.v1") | {"expires_at": None})
    fields = [str(value) for value in signal.wire()]
    assert fields[fields.index("expires_at") + 1] == ""
    assert decode_one(fields) == signal


@given(st.data())
def test_ids_are_words_of_the_content(data: st.DataObject) -> None:
    """Equal events have equal ids, and every id begins with its type."""
    model = data.draw(st.sampled_from(list(EVENTS)))
    event = data.draw(EVENTS[model])
    again = model(**{field: getattr(event, field) for field in model.model_fields})
    assert again == event
    assert again.id == event.id
    assert event.id.startswith(f"{model.TYPE}:")
