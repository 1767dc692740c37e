"""Recorded markets through all five services: equal to the oracle and to other people's numbers."""

from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import polars as pl
import pytest

from shared.bus.keys import Keys
from shared.bus.redis_log import RedisLog
from shared.bus.topics import Topic
from shared.events import AlertFired, CandleClosed, Event, LevelComputed, Tick
from shared.events.base import micros
from tests.integration.house import build, played_out, running, topic
from tests.integration.oracle import DERIVED, assert_equals_oracle

pytestmark = pytest.mark.timeout(400)

TICKS = ("ticks_eurusd_oanda_20140502.csv.gz", "ticks_eurusd_oanda_20140505.csv.gz")
MINUTES = "demo_fx_gold_1m_20140501_15.csv.gz"


class Played(NamedTuple):
    """What the log holds after a recording was played; ``compared`` with the oracle."""

    compared: int
    spine: dict[int, list[Event]]
    derived: dict[Topic, dict[int, list[Event]]]
    alerts: list[AlertFired]
    dead: list[Event]


async def play(url: str, keys: Keys, log: RedisLog, ingest: dict[str, object]) -> Played:
    """Play a recording through the five services to its end."""
    async with running(build(url, keys, ingest)):
        await played_out(log)
    derived = {name: await topic(log, name) for name in DERIVED}
    alerts = [e for part in (await topic(log, "alert_fired")).values() for e in part]
    dead = [e for part in (await topic(log, "dead_letter")).values() for e in part]
    spine = await topic(log, "tick")
    compared = await assert_equals_oracle(log, spine)
    return Played(compared, spine, derived, [e for e in alerts if isinstance(e, AlertFired)], dead)


def all_of(played: Played, name: Topic) -> list[Event]:
    """A topic's events of all partitions."""
    return [event for part in played.derived[name].values() for event in part]


async def test_days_of_ticks_equal_the_oracle_and_other_peoples_numbers(
    server_url: str, keys: Keys, redis_log: RedisLog, shared_data: Path, tmp_path: Path
) -> None:
    """A Friday and a Monday of EURUSD: nothing lost or doubled, every signal has its alert.

    Candles equal polars' over the same ticks.
    """
    recorded = pl.concat([pl.read_csv(shared_data / "recorded" / name) for name in TICKS])
    recorded.write_csv(tmp_path / "days.csv")
    section = {"feed": "file", "file": tmp_path / "days.csv"}
    day = await play(server_url, keys, redis_log, section)
    ticks = [e for part in day.spine.values() for e in part if isinstance(e, Tick)]
    assert len(ticks) == recorded.height
    assert day.compared > 1_500
    assert day.dead == []
    _assert_candles_are_polars(day, recorded)
    signals = all_of(day, "signal_generated")
    assert signals
    assert sorted(a.signal for a in day.alerts) == sorted(s.id for s in signals)
    assert {alert.status for alert in day.alerts} == {"delivered"}


def _assert_candles_are_polars(day: Played, recorded: pl.DataFrame) -> None:
    """Open, high, low, close and count of every 1m, 5m and 15m window, by ``group_by_dynamic``."""
    prices = recorded.select(
        pl.col("ts_utc").str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", time_unit="us").alias("t"),
        ((pl.col("bid") + pl.col("ask")) / 2).alias("p"),
    )
    for timeframe in ("1m", "5m", "15m"):
        grouped = prices.group_by_dynamic("t", every=timeframe, closed="left").agg(
            pl.col("p").first().alias("o"),
            pl.col("p").max().alias("h"),
            pl.col("p").min().alias("l"),
            pl.col("p").last().alias("c"),
            pl.len().alias("n"),
        )
        expected = grouped.with_columns(pl.col("t").dt.epoch("us")).rows()
        found = [
            (c.open_at, c.open, c.high, c.low, c.close, c.ticks)
            for c in all_of(day, "candle_closed")
            if isinstance(c, CandleClosed) and c.timeframe == timeframe
        ]
        assert found == expected


async def test_provider_candles_equal_the_oracle_and_levels_the_hand_worked_ones(
    server_url: str, keys: Keys, redis_log: RedisLog, shared_data: Path, tmp_path: Path
) -> None:
    """Four days of one-minute candles come out as they went in, or are told as dead letters.

    Yesterday's high, low and pivots of two named days are worked out by hand below.
    """
    recorded = pl.read_csv(shared_data / "recorded" / MINUTES).filter(
        pl.col("symbol").is_in(["EURUSD", "XAUUSD"]), pl.col("ts_utc") < "2014-05-06"
    )
    recorded.write_csv(tmp_path / "minutes.csv")
    played = await play(
        server_url, keys, redis_log, {"feed": "file", "file": tmp_path / "minutes.csv"}
    )
    assert played.compared > 2 * recorded.height
    minutes = {
        (c.symbol, c.open_at): (c.open, c.high, c.low, c.close)
        for c in all_of(played, "candle_closed")
        if isinstance(c, CandleClosed) and c.timeframe == "1m"
    }
    rows = recorded.with_columns(
        pl.col("ts_utc").str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_unit="us").dt.epoch("us")
    )
    provider = {(symbol, at): tuple(prices) for at, symbol, _, *prices, _ in rows.rows()}
    assert minutes.items() <= provider.items()
    # Gold rests from 17:00 to 18:00 New York; what the provider gives there is told and left out.
    assert len(minutes) + len(played.dead) == recorded.height
    assert {letter.symbol for letter in played.dead} <= {"XAUUSD"}
    _assert_levels_of_named_days(played)


def _assert_levels_of_named_days(played: Played) -> None:
    found = {
        (e.symbol, e.at): {level.key: level.price for level in e.levels}
        for e in all_of(played, "level_computed")
        if isinstance(e, LevelComputed) and e.timeframe == "1d"
    }
    for day, expected in NAMED_DAYS.items():
        levels = found["EURUSD", day]
        for key, price in expected.items():
            assert levels[key] == pytest.approx(price, abs=1e-9), key


def _levels(high: float, low: float, pivots: tuple[float, ...]) -> dict[str, float]:
    names = ("pp", "r1", "s1", "r2", "s2")
    classic = {f"pivot.classic.{name}": p for name, p in zip(names, pivots, strict=True)}
    return {"previous_day.high": high, "previous_day.low": low, **classic}


# Sessions that end at 17:00 New York, which is 21:00 UTC in May. Highs, lows and closes were read
# off the recorded minutes. PP = (H + L + C) / 3, R1 = 2 PP - L, S1 = 2 PP - H, R2 = PP + H - L,
# S2 = PP - H + L.
NAMED_DAYS: dict[int, dict[str, float]] = {
    # Payrolls: high 1.38814 at 18:14, low 1.381235 at 13:37, close 1.387335; sum 4.15671.
    micros(datetime(2014, 5, 2, 21, tzinfo=UTC)): _levels(
        1.38814, 1.381235, (1.38557, 1.389905, 1.383, 1.392475, 1.378665)
    ),
    # A quiet Monday: high 1.38869 at 21:00, low 1.38646 at 01:21, close 1.387505; sum 4.162655.
    micros(datetime(2014, 5, 5, 21, tzinfo=UTC)): _levels(
        1.38869,
        1.38646,
        (4.162655 / 3, 1.3886433333333, 1.3864133333333, 1.3897816666667, 1.3853216666667),
    ),
}
