"""When a rule counts and how often: windows, once, once a candle, expiry, ranges. Level 100."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from services.signals.domain.hours import SessionSpan, SessionWindow, TimeWindow
from shared.events import LevelComputed, SignalGenerated
from shared.events.base import micros
from tests.signals.candles import Candles, candle_rule
from tests.signals.play import (
    FRIDAY,
    MINUTE,
    SECOND,
    SYMBOL,
    THURSDAY,
    Play,
    close,
    level,
    levels,
    rule_set,
    told,
)

TOUCH = {"kind": "touch", "within_ticks": 2}
DAY = 1440 * MINUTE
AGAIN = [85, 99]


def at(text: str) -> int:
    return micros(datetime.fromisoformat(text).replace(tzinfo=UTC))


@pytest.mark.parametrize(
    ("moment", "holds"),
    [
        ("2026-11-20T14:29:59", False),
        ("2026-11-20T14:30", True),
        ("2026-11-20T20:59:59", True),
        ("2026-11-20T21:00", False),
        ("2026-11-21T15:00", False),  # a Saturday
        ("2026-07-03T13:30", True),  # summer time: an hour earlier in UTC
        ("2026-07-03T13:29", False),
    ],
)
def test_a_time_window_is_local(moment: str, holds: bool) -> None:
    """New York from 09:30 to before 16:00, Monday to Friday, whatever UTC says."""
    window = TimeWindow(
        kind="time", zone="America/New_York", start="09:30", end="16:00", days=(1, 2, 3, 4, 5)
    )
    assert window.holds(at(moment), None) is holds


@pytest.mark.parametrize(
    ("moment", "holds"),
    [
        ("2026-11-19T22:00", False),
        ("2026-11-20T22:00", True),
        ("2026-11-21T01:59", True),
        ("2026-11-21T02:00", False),
        ("2026-11-22T01:00", False),
    ],
)
def test_a_window_over_midnight_belongs_to_the_day_it_starts_on(moment: str, holds: bool) -> None:
    """Friday 22:00 to Saturday 02:00."""
    window = TimeWindow(kind="time", zone="UTC", start="22:00", end="02:00", days=(5,))
    assert window.holds(at(moment), None) is holds


def test_a_session_window_counts_from_both_ends() -> None:
    """The first hour but for its first minute; the last ten minutes; unknown without a session."""
    span = SessionSpan(FRIDAY, FRIDAY + DAY)
    early = SessionWindow(kind="session", after_s=60, first_s=3600)
    late = SessionWindow(kind="session", last_s=600)
    moments = [FRIDAY, FRIDAY + MINUTE, FRIDAY + 60 * MINUTE, FRIDAY + DAY - 10 * MINUTE]
    assert [early.holds(one, span) for one in moments] == [False, True, False, False]
    assert [late.holds(one, span) for one in moments] == [False, False, False, True]
    assert early.holds(FRIDAY, None) is None
    assert late.holds(FRIDAY, SessionSpan(FRIDAY, None)) is None


@pytest.mark.parametrize(
    ("window", "complaint"),
    [
        ({"kind": "time", "zone": "Mars", "start": "09:30", "end": "16:00"}, "is no time zone"),
        ({"kind": "time", "zone": "UTC", "start": "9:30", "end": "16:00"}, "should match pattern"),
        ({"kind": "session"}, "needs after_s, first_s or last_s"),
        ({"kind": "session", "after_s": 60, "first_s": 60}, "no time could ever lie in between"),
    ],
)
def test_a_window_that_makes_no_sense_is_refused(window: dict[str, Any], complaint: str) -> None:
    """At saving, with the field."""
    with pytest.raises(ValidationError, match=complaint):
        candle_rule(window)


def in_window(**fields: Any) -> Play:
    made = rule_set(TOUCH, **fields)
    (rule,) = made.rules
    first = {"kind": "time", "zone": "UTC", "start": "00:01", "end": "00:02"}
    body = made.body
    body["rules"][0]["during"] = [first]
    assert rule.name == "rule"
    return Play(type(made).model_validate(body))


def test_outside_its_windows_a_rule_follows_in_silence() -> None:
    """Touches in the first minute are not told, nor made up for; one in the second is."""
    play = in_window()
    assert told(play.prices(*AGAIN)) == []
    assert told(play.prices(99, every_s=60)) == []
    assert told(play.prices(*AGAIN)) == ["touch short 99"]
    assert told(play.prices(85, 99, every_s=60)) == []


def test_once_is_once_at_a_level() -> None:
    """Another level of the same key is another one."""
    play = Play(rule_set(TOUCH, life={"fires": "once", "rearm_ticks": 10, "cooldown_s": 0}))
    assert len(play.prices(*AGAIN * 3)) == 1
    play.restart()
    assert len(play.prices(*AGAIN * 3)) == 0
    play.send(levels(level(formed_at=THURSDAY + MINUTE)))
    assert len(play.prices(*AGAIN * 3)) == 1


def test_once_a_candle_is_once_between_two_closes() -> None:
    """The minute's close opens the next turn, the day's alone does not."""
    life = {"fires": "once_per_candle", "candle": "1m", "rearm_ticks": 10, "cooldown_s": 0}
    play = Play(rule_set(TOUCH, life=life))
    play.send(close(FRIDAY, "1m", at=FRIDAY))
    assert len(play.prices(*AGAIN * 3)) == 1
    play.send(close(FRIDAY, "5m", at=play.at + SECOND))
    assert len(play.prices(*AGAIN * 3)) == 0
    play.send(close(FRIDAY, "1m", at=play.at))
    play.restart()
    assert len(play.prices(*AGAIN * 3)) == 1


def test_once_a_candle_of_a_candle_rule() -> None:
    """Decided every quarter of an hour, told once an hour; 11:00 still belongs to its hour."""
    above = {"kind": "above", "left": "close", "right": 100}
    play = Candles(candle_rule(above, fires="once_per_candle", candle="1h"))
    found: list[int] = []
    for number in range(1, 13):
        frames = ("15m", "1h") if number % 4 == 0 else ("15m",)
        price = 101 if number % 2 == 0 else 99
        if play.one(price, {}, timeframes=frames):  # type: ignore[arg-type]
            found.append(number)
    assert found == [2, 6, 10]


def test_intraday_signals_expire_with_their_session() -> None:
    """As the closes tell it: the present one, and at its end the next one."""
    play = Play(rule_set(TOUCH))
    assert play.prices(*AGAIN)[0].expires_at is None
    known = close(FRIDAY, "1m").model_copy(update={"session_end_at": FRIDAY + DAY})
    play.send(known)
    assert play.prices(*AGAIN)[0].expires_at == FRIDAY + DAY
    play.restart()
    assert play.prices(*AGAIN)[0].expires_at == FRIDAY + DAY
    over = close(FRIDAY, "1m", "1d").model_copy(
        update={"next_session_at": FRIDAY + DAY, "next_session_end_at": FRIDAY + 2 * DAY}
    )
    play.send(over)
    assert play.prices(*AGAIN)[0].expires_at == FRIDAY + 2 * DAY


def test_positional_signals_do_not_expire() -> None:
    """Whatever the session."""
    play = Play(rule_set(TOUCH, signal_type="Positional"))
    play.send(close(FRIDAY, "1m").model_copy(update={"session_end_at": FRIDAY + DAY}))
    assert play.prices(*AGAIN)[0].expires_at is None


def reading(atr: float | None, number: int = 1) -> LevelComputed:
    values = {} if atr is None else {"atr:14": atr}
    made = levels(timeframe="15m")
    return made.model_copy(update={"values": values, "pos": number})


def test_distances_in_ranges_follow_the_range() -> None:
    """Half a range of 10 is 5 ticks; two ticks are the least; what has fired stays disarmed."""
    when = {"kind": "touch", "within_ticks": 2, "within_atr": 0.5}
    play = Play(rule_set(when, life={"rearm_ticks": 3, "rearm_atr": 1.0, "cooldown_s": 0}))
    assert told(play.prices(85, 99)) == []
    (waits,) = json.loads(play.step.views()[SYMBOL])["waiting"].values()
    assert waits == ["15m atr:14"]
    play.send(reading(10))
    assert json.loads(play.step.views()[SYMBOL])["waiting"] == {}
    (signal,) = play.prices(85, 94, 95)
    assert signal.price == 95
    assert signal.operands["within_ticks"] == 5
    assert signal.operands["atr"] == 10
    play.send(reading(2))
    play.restart()
    assert told(play.prices(98)) == []
    assert told(play.prices(97, 98)) == ["touch short 98"]


def test_a_range_that_stays_changes_nothing() -> None:
    """The same rule in ticks fires the same, price by price, over readings that say the same."""
    ticks = rule_set({**TOUCH, "within_ticks": 3}, life={"rearm_ticks": 8, "cooldown_s": 0})
    ranges = rule_set(
        {**TOUCH, "within_ticks": 0, "within_atr": 0.75},
        life={"rearm_ticks": 1, "rearm_atr": 2.0, "cooldown_s": 0},
    )
    way = [(7 * n * n) % 31 + 85 for n in range(300)]
    one, other = Play(ticks), Play(ranges)
    other.send(reading(4))
    found: list[SignalGenerated] = []
    for number, price in enumerate(way):
        found += other.prices(price)
        if number % 15 == 0:
            other.send(reading(4, number))
            other.restart()
    assert told(found) == told(one.prices(*way))
    assert len(found) == 10


def test_a_sequence_holds_within_its_candles() -> None:
    """Swept, then closed back inside within two candles; three are too many.

    103      |
    100 ------------------------- 100
     99   *  *  *     (closes)
    """
    steps = [
        {"kind": "above", "left": "rsi:14", "right": 70},
        {"kind": "below", "left": "close", "right": 100},
    ]
    made = candle_rule({"kind": "sequence", "steps": steps, "within": 2, "apart": 1})
    rows = [(101, 50), (101, 80), (101, 50), (99, 50), (101, 80), (101, 50), (101, 50), (99, 50)]
    play, fired = Candles(made), []
    for number, (price, rsi) in enumerate(rows, 1):
        if play.close(price, rsi_14=rsi):
            fired.append(number)
        play.restart()
    assert fired == [4]
    assert (
        Candles(candle_rule({"kind": "sequence", "steps": steps, "within": 1})).close(
            101, rsi_14=50
        )
        == []
    )
