"""Would it have fired: hits, what the price did afterwards, and what the cap held back."""

from collections.abc import Sequence

import pytest

from services.signals.domain.closes import PARKED_MAX
from services.signals.domain.preview import Preview, in_order
from services.signals.domain.rules import RuleSet
from shared.events import Candle, Event, LevelComputed
from shared.market.timeframes import Timeframe
from tests.signals.pair import joint_rule, own
from tests.signals.play import (
    FRIDAY,
    MINUTE,
    SECOND,
    SYMBOL,
    close,
    instrument,
    level,
    levels,
    rule_set,
    rules,
    tick,
)


def reading(at: int, price: float, timeframe: Timeframe = "15m", pos: int = 9) -> LevelComputed:
    """A candle that closed at this price."""
    candle = Candle(open_at=at - 15 * MINUTE, at=at, open=price, high=price, low=price, close=price)
    return levels(timeframe=timeframe).model_copy(
        update={"at": at, "candle": candle, "levels": (), "pos": pos}
    )


def touches(cap: int = 10) -> RuleSet:
    """Fires where the price comes to yesterday's high at 100."""
    return rule_set({"kind": "touch", "within_ticks": 0}, signals_a_day_max=cap, symbols=[SYMBOL])


def prices(*values: float) -> list[Event]:
    """One a minute from the friday's midnight on."""
    return [tick(value, FRIDAY + n * MINUTE, pos=n + 2) for n, value in enumerate(values)]


def play(preview: Preview, *events: Event) -> Preview:
    preview.play([instrument(), levels(level()), *events])
    return preview


def test_a_hit_tells_the_returns_of_the_candles_that_close_after_it() -> None:
    """From 100: short at a touch from below, so a fall to 99 is +1 %, a rise to 102 is -2 %."""
    closes = [reading(FRIDAY + 15 * n * MINUTE, price) for n, price in enumerate((90, 99, 102), 0)]
    report = play(Preview(touches(), SYMBOL), *prices(90, 100), *closes[1:]).report()
    (hit,) = report.hits
    assert hit.signal.direction == "short"
    assert hit.returns[1] == pytest.approx(0.01)
    assert hit.returns[5] is None
    outlook = report.outlook()
    assert (outlook[1].hits, outlook[1].share) == (1, 1.0)
    assert (outlook[20].hits, outlook[20].mean) == (0, None)


def test_the_fifth_candle_is_the_fifth_that_closes() -> None:
    """The candle that closed with or before the hit is none of them."""
    closes = [reading(FRIDAY + 15 * n * MINUTE, 100 + n) for n in range(7)]
    preview = Preview(touches(), SYMBOL)
    report = play(preview, closes[0], *prices(90, 100), *closes[1:]).report()
    assert report.hits[0].returns[5] == pytest.approx(-0.05)


def test_returns_can_be_measured_in_other_candles() -> None:
    """A timeframe that is asked for takes the place of the 15 minutes."""
    closes = [reading(FRIDAY + 5 * MINUTE, 99, "5m"), reading(FRIDAY + 15 * MINUTE, 50)]
    preview = Preview(touches(), SYMBOL, horizon="5m")
    report = play(preview, *prices(90, 100), *closes).report()
    assert preview.timeframes == {"5m"}
    assert report.hits[0].returns[1] == pytest.approx(0.01)


def test_hits_count_inside_the_range_only() -> None:
    """What comes before brings the rule into its state: no second touch without leaving first."""
    since = FRIDAY + 3 * MINUTE
    path = prices(90, 100, 100, 100, 80, 100, 80, 100)
    report = play(Preview(touches(), SYMBOL, since, since + 3 * MINUTE), *path).report()
    assert [(hit.signal.at - FRIDAY) // MINUTE for hit in report.hits] == [5]


def test_what_the_cap_holds_back_is_counted_over_all_sessions() -> None:
    """Two sessions of three touches under a cap of one."""
    day = prices(*[80, 100] * 3)
    end = close(FRIDAY - MINUTE, "1d", at=FRIDAY + 10 * MINUTE)
    later = [tick(p, FRIDAY + (20 + n) * MINUTE) for n, p in enumerate([80, 100] * 3)]
    report = play(Preview(touches(cap=1), SYMBOL), *day, end, *later).report()
    assert (len(report.hits), report.suppressed) == (2, 4)
    assert report.by_day() == {"2026-11-20": 2}
    assert report.by_rule() == {"rule": 2}


def of_vix(at: int, price: float) -> LevelComputed:
    """Its daily candle."""
    return reading(at, price, "1d").model_copy(update={"symbol": "VIX"})


def joint() -> RuleSet:
    """TEST above 100 while VIX's last daily close is below 20."""
    vix = {"kind": "below", "left": "close@1d of VIX", "right": 20}
    above = {"kind": "above", "left": "close", "right": 100}
    return joint_rule({"kind": "all", "conditions": [above, vix]})


def test_the_end_of_the_other_symbols_past_is_known() -> None:
    """Nothing waits for a daily candle that has still to come: live play does not either."""
    preview = Preview(joint(), SYMBOL)
    preview.play([instrument(), of_vix(FRIDAY, 19), *own(1, 99), *own(2, 101)])
    report = preview.report()
    assert [hit.signal.at for hit in report.hits] == [FRIDAY + 30 * MINUTE]
    assert report.waiting == {}


def test_a_long_wait_for_the_other_symbol_loses_nothing() -> None:
    """More candles than may be parked, and one daily candle before and one after them."""
    count = PARKED_MAX + 100
    candles = [one for n in range(1, count + 1) for one in own(n, 101 if n % 2 else 99)]
    events = [instrument(), of_vix(FRIDAY, 19), *own(0, 99), *candles]
    events.append(of_vix(FRIDAY + (count + 1) * 15 * MINUTE, 25))
    preview = Preview(joint(), SYMBOL)
    preview.play(events)
    assert len(preview.report().hits) == count // 2


def test_rules_on_the_spine_are_passed_over() -> None:
    """The log's own rule sets are in force there, not here."""
    other = rule_set({"kind": "break"}, name="other")
    report = play(Preview(touches(), SYMBOL), rules(other), *prices(90, 100, 110)).report()
    assert [hit.signal.config for hit in report.hits] == ["test"]


def test_batches_change_nothing() -> None:
    """However the past is cut, the report is the same."""
    events = [instrument(), levels(level()), *prices(*[80, 100, 101] * 5)]
    whole, pieces = Preview(touches(), SYMBOL), Preview(touches(), SYMBOL)
    whole.play(events)
    for event in events:
        pieces.play([event])
    assert whole.report() == pieces.report()


def test_recorded_readings_stand_before_their_close() -> None:
    """And what was read before the first entry stands before that."""

    def shown(found: Sequence[Event]) -> list[str]:
        return [f"{one.TYPE}{one.pos}" for one in found]

    spine = [tick(1, FRIDAY, pos=5), close(FRIDAY, "15m").model_copy(update={"pos": 6})]
    readings = [reading(FRIDAY, 1, pos=pos) for pos in (3, 6, 8)]
    assert shown([*in_order(spine, readings)]) == [
        "level_computed3",
        "tick5",
        "level_computed6",
        "close6",
    ]


def test_readings_of_other_symbols_come_when_they_are_due() -> None:
    """By time, since their positions are another partition's."""
    foreign = reading(FRIDAY + SECOND, 1).model_copy(update={"symbol": "VIX"})
    spine = [tick(1, FRIDAY, pos=5), tick(1, FRIDAY + SECOND, pos=6)]
    assert [one.symbol for one in in_order(spine, [], [foreign])] == [SYMBOL, "VIX", SYMBOL]
