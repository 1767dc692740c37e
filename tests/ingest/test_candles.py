"""What the candles stage makes of a spine, drawn as time lines. See lines.py for the notation."""

import json
from collections.abc import Sequence

from services.ingest.domain.candles import CandlesStep
from services.ingest.domain.items import Item
from shared.events import CandleClosed, Config, ConfigPassed, Event
from shared.market.timeframes import Timeframe
from tests.ingest.lines import at, candle, tick, ticks, time, told, writer


def closed(items: Sequence[Item]) -> list[str]:
    """The candles of a fresh chain, as ``symbol timeframe from-to open high low close xticks``."""
    return told(events(items))


def events(items: Sequence[Item]) -> list[CandleClosed]:
    out = CandlesStep({}).process(writer().process(items))
    return [event for event in out if isinstance(event, CandleClosed)]


def of(timeframe: Timeframe, lines: list[str]) -> list[str]:
    return [line for line in lines if f" {timeframe} " in line]


def test_a_minute_is_its_first_highest_lowest_and_last_price() -> None:
    """Open, high, low, close and count are of the ticks inside the window."""
    #  14:00:01  14:00:20  14:00:40  14:00:59 | 14:01
    #  1.10      1.12      1.08      1.09     | 1.10
    line = ticks("14:00:01 1.10 | 14:00:20 1.12 | 14:00:40 1.08 | 14:00:59 1.09 | 14:01 1.10")
    assert closed(line) == ["EURUSD 1m 14:00-14:01 1.1 1.12 1.08 1.09 x4"]


def test_windows_are_half_open() -> None:
    """A price on the edge opens the next window; the last microsecond belongs to the old one."""
    line = ticks("14:00 1.10 | 14:00:59.999999 1.11 | 14:01 1.12 | 14:02 1.13")
    assert closed(line) == [
        "EURUSD 1m 14:00-14:01 1.1 1.11 1.1 1.11 x2",
        "EURUSD 1m 14:01-14:02 1.12 1.12 1.12 1.12 x1",
    ]


def test_a_silence_makes_no_candles() -> None:
    """Windows without a price do not exist: nothing flat is invented."""
    line = ticks("13:58:30 1.10 | 14:20 1.12")
    assert closed(line) == [
        "EURUSD 1m 13:58-13:59 1.1 1.1 1.1 1.1 x1",
        "EURUSD 5m 13:55-14:00 1.1 1.1 1.1 1.1 x1",
        "EURUSD 15m 13:45-14:00 1.1 1.1 1.1 1.1 x1",
        "EURUSD 1h 13:00-14:00 1.1 1.1 1.1 1.1 x1",
    ]


def test_larger_candles_come_from_smaller_ones() -> None:
    """Five minutes hold what their minutes held, in the order of the timeframes."""
    line = ticks("14:00:30 1.10 | 14:01:30 1.15 | 14:02:30 1.05 | 14:04:59 1.11 | 14:05 1.2")
    assert of("5m", closed(line)) == ["EURUSD 5m 14:00-14:05 1.1 1.15 1.05 1.11 x4"]


def test_a_days_candle_is_the_session() -> None:
    """The Nasdaq's day opens with its first price and closes with its last before 16:00."""
    items: list[Item] = [
        tick("13:30:01", 24_000.0, "NDX"),
        tick("17:00", 24_100.0, "NDX"),
        tick("19:59:59", 23_900.0, "NDX"),
        time("20:01"),
    ]
    assert of("1d", closed(items)) == ["NDX 1d 13:30-20:00 24000.0 24100.0 23900.0 23900.0 x3"]


def test_the_hour_is_anchored_at_the_session() -> None:
    """The Nasdaq's hours begin at half past."""
    items = [tick("14:29:59", 1.0, "NDX"), tick("14:30", 2.0, "NDX")]
    assert of("1h", closed(items)) == ["NDX 1h 13:30-14:30 1.0 1.0 1.0 1.0 x1"]


def test_a_price_out_of_order_does_not_become_the_close() -> None:
    """What happened earlier is not the last price, though it came last; it can be the high."""
    line = ticks("14:00:10 1.10 | 14:00:50 1.11 | 14:00:30 1.20 | 14:01 1.1")
    assert closed(line) == ["EURUSD 1m 14:00-14:01 1.1 1.2 1.1 1.11 x3"]


def test_a_price_out_of_order_is_the_open_only_if_it_is_the_earliest() -> None:
    """The candle is what it would have been in order."""
    line = ticks("14:00:10 1.10 | 14:00:05 1.09 | 14:00:07 1.08 | 14:01 1.1")
    assert closed(line) == ["EURUSD 1m 14:00-14:01 1.09 1.1 1.08 1.1 x3"]


def test_of_equal_times_the_first_opens_and_the_last_closes() -> None:
    """Prices of one moment count in the order in which they came."""
    line = ticks("14:00:10 1.10 | 14:00:10 1.12 | 14:00:10 1.11 | 14:01 1.1")
    assert closed(line) == ["EURUSD 1m 14:00-14:01 1.1 1.12 1.1 1.11 x3"]


def test_volume_is_the_sum_of_sizes() -> None:
    """Sizes of ticks and volumes of candles add up through the timeframes."""
    items: list[Item] = [
        candle("1m", "14:00", (1.1, 1.2, 1.0, 1.1)),  # volume 1
        tick("14:01:10", 1.1, size=2.5),
        tick("14:01:20", 1.1, size=0.5),
        tick("14:05", 1.1),
    ]
    found = {(event.timeframe, event.open_at): event for event in events(items)}
    assert found["1m", at("14:01")].volume == 3.0
    assert found["5m", at("14:00")].volume == 4.0
    assert found["5m", at("14:00")].ticks == 2


def test_providers_candles_fold_into_larger_ones() -> None:
    """Minutes of a provider make five minutes; candles folded in count as no ticks."""
    items = [
        candle("1m", f"14:0{i}", (1.1 + i / 100, 1.2 + i / 100, 1.0 - i / 100, 1.15))
        for i in range(5)
    ]
    assert of("5m", closed(items)) == ["EURUSD 5m 14:00-14:05 1.1 1.24 0.96 1.15 x0"]


def test_a_candle_is_live_if_anything_in_it_is() -> None:
    """Origin is the liveliest inside: seeds alone stay seeds, one live price makes it live."""
    shape = (1.1, 1.2, 1.0, 1.1)
    items: list[Item] = [
        candle("15m", "13:45", shape)._replace(origin="seed"),
        candle("15m", "14:00", shape)._replace(origin="seed"),
        candle("1m", "14:15", shape)._replace(origin="backfill"),
        *ticks("14:16:05 1.10 | 14:30:00 1.2"),
    ]
    found = [
        (event.timeframe, event.origin)
        for event in events(items)
        if event.timeframe in ("15m", "1h")
    ]
    assert found == [("15m", "seed"), ("1h", "seed"), ("15m", "seed"), ("15m", "live")]
    fives = [event.origin for event in events(items[2:]) if event.timeframe == "5m"]
    assert fives == ["live"]


def test_a_candle_names_its_close_session_and_source() -> None:
    """Cause, position, session and source are those of the close and of the last price."""
    spine = writer().process(ticks("14:00:10 1.10 | 14:01 1.1"))
    (event,) = CandlesStep({}).process(spine)
    close = spine[2]
    assert isinstance(event, CandleClosed)
    assert (event.cause, event.pos) == ("close:EURUSD:2026-06-10T14:01Z", close.pos)
    assert event.session_at == at("2026-06-09 21:00")
    assert event.source == "test"
    assert event.id == "candle_closed:EURUSD:1m:2026-06-10T14:01Z"


def view(step: CandlesStep, items: Sequence[Item]) -> dict[str, object]:
    step.process(writer().process(items))
    shown = step.views()
    assert list(shown) == ["EURUSD"]
    found: dict[str, object] = json.loads(shown["EURUSD"])
    return found


def test_a_view_shows_the_forming_candles() -> None:
    """Last price and, for every timeframe with a price, its window so far."""
    shown = view(CandlesStep({}), ticks("14:00:10 1.10 | 14:06:10 1.12 | 14:06:20 1.11"))
    candles = shown.pop("candles")
    assert shown == {"at": at("14:06:20"), "price": 1.11, "source": "test"}
    assert isinstance(candles, dict)
    assert list(candles) == ["1m", "5m", "15m", "1h", "4h", "1d"]
    inside = {"open": 1.12, "high": 1.12, "low": 1.11, "close": 1.11, "volume": 0.0}
    sessions = {candle.pop("session_at") for candle in candles.values()}
    assert sessions == {at("2026-06-09 21:00")}
    assert candles["5m"] == {"open_at": at("14:05"), "at": at("14:10"), **inside}
    assert candles["15m"] == {
        "open_at": at("14:00"),
        "at": at("14:15"),
        **inside,
        "open": 1.1,
        "low": 1.1,
    }
    assert candles["1d"]["open_at"] == at("2026-06-09 21:00")


def test_after_a_close_the_price_is_still_shown() -> None:
    """When all windows are over the last price remains, without forming candles."""
    shown = view(CandlesStep({}), [*ticks("14:00:10 1.10"), time("2026-06-10 21:00:02")])
    assert shown == {"at": at("14:00:10"), "price": 1.1, "source": "test", "candles": {}}


def test_only_touched_symbols_are_shown() -> None:
    """A symbol without news since the last look is not shown again."""
    step = CandlesStep({})
    view(step, ticks("14:00:10 1.10"))
    assert step.views() == {}


def test_the_stage_goes_on_from_its_state() -> None:
    """Restored after every entry, it closes the same candles and shows the same."""
    items: list[Item] = [
        candle("15m", "13:45", (1.1, 1.2, 1.0, 1.1)),
        *ticks("14:00:10 1.10 | 14:00:50 1.11 | 14:00:30 1.20 | 14:06 1.1 | 15:00 1.0"),
    ]
    spine: list[Event] = writer().process(items)
    whole = CandlesStep({})
    expected = whole.process(spine)
    state: dict[str, str] = {}
    found: list[Event] = []
    for event in spine:
        step = CandlesStep(state)
        found += step.process([event])
        state |= step.changes()
    assert found == expected
    shown = CandlesStep(state)
    assert shown.changes() == {}
    assert shown.process([spine[-1].model_copy()]) == whole.process([spine[-1]])
    assert shown.views() == whole.views()


def test_settings_of_indicators_are_handed_on() -> None:
    """Whoever reads candles sees them where the spine has them; other settings stay behind."""

    def config(kind: str) -> Config:
        body = {"recipes": {"5m": ["sma:50"]}}
        return Config(symbol="EURUSD", at=7, pos=3, kind=kind, name="n", version="v", body=body)

    (passed,) = CandlesStep({}).process([config("rules"), config("indicators")])
    assert isinstance(passed, ConfigPassed)
    assert passed.model_dump() == config("indicators").model_dump()
