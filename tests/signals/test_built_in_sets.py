"""The shipped sets on real candles, with the readings that the indicators service really gives."""

import csv
import gzip
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import pytest

from services.indicators.domain.stage import STAGE
from services.signals.adapters.rule_files import built_in_names, load
from services.signals.domain.conditions import AtClose
from services.signals.domain.kinds import Retest
from services.signals.domain.series import Reading
from services.signals.domain.step import SignalsStep
from shared.events import CandleClosed, Close, LevelComputed, SignalGenerated, Window
from shared.events.base import micros
from shared.market.timeframes import Timeframe
from tests.signals.play import MINUTE, instrument, names, rules

QUARTER = 15 * MINUTE
SYMBOL = "EURUSD"


@pytest.fixture(scope="module")
def readings(shared_data: Path) -> list[LevelComputed]:
    """EURUSD, August 2023, 15-minute candles: what is known after each of them."""
    path = shared_data / "recorded" / "demo_dax_ndx_dji_spx_eurusd_eurgbp_20230801_0908.csv.gz"
    with gzip.open(path, "rt") as file:
        rows = [
            row for row in csv.DictReader(file) if (row["symbol"], row["tf"]) == (SYMBOL, "15m")
        ]
    given = STAGE.restore({}).process(
        [candle(row, number, "15m") for number, row in enumerate(rows)]
    )
    return [one for one in given if isinstance(one, LevelComputed)]


def candle(row: dict[str, str], number: int, timeframe: Timeframe) -> CandleClosed:
    open_at = micros(datetime.fromisoformat(row["ts_utc"]))
    return CandleClosed(
        symbol=SYMBOL,
        at=open_at + QUARTER,
        pos=number + 1,
        timeframe=timeframe,
        open_at=open_at,
        session_at=open_at - open_at % (96 * QUARTER),
        open=float(row["open"]),
        high=float(row["high"]),
        low=float(row["low"]),
        close=float(row["close"]),
        volume=0,
        ticks=1,
        source="test",
        origin="live",
        cause="test",
    )


def played(name: str, readings: list[LevelComputed]) -> list[SignalGenerated]:
    """What a set fires on these readings, each followed by its close."""
    (rule_set,) = load([name], [])
    step = SignalsStep({})
    known = instrument(symbol=SYMBOL, tick_size=1e-5, decimals=5)
    signals = step.process([known, rules(rule_set.model_copy(update={"signals_a_day_max": 999}))])
    for reading in readings:
        window = Window(timeframe=reading.timeframe, open_at=reading.at - QUARTER)
        close = Close(
            symbol=SYMBOL,
            at=reading.at,
            pos=reading.pos,
            session_at=reading.session_at,
            windows=(window,),
        )
        signals += step.process([reading, close])
    return [signal for signal in signals if isinstance(signal, SignalGenerated)]


def test_the_flips_of_the_atr_stop(readings: list[LevelComputed]) -> None:
    """A signal at each candle where the trend's sign changes, and nowhere else."""
    trends = [(one.at, one.values.get("atr_stop.trend")) for one in readings]
    flips = [
        (at, "long" if trend > 0 else "short")
        for (_, before), (at, trend) in pairwise(trends)
        if trend is not None and before is not None and trend != before
    ]
    signals = played("atr_stop_flip", readings)
    assert len(flips) > 50
    assert [(signal.at, signal.direction) for signal in signals] == flips


@pytest.mark.parametrize("name", built_in_names())
def test_what_a_built_in_set_looks_at_exists(name: str, readings: list[LevelComputed]) -> None:
    """Keys of levels and zones and names of values are those of the readings; see below for 1d."""
    known = {level.key for one in readings for level in one.levels}
    zones = {(zone.key, zone.status) for one in readings for zone in one.zones}
    values = {value for one in readings for value in one.values}
    (rule_set,) = load([name], [])
    for rule in rule_set.rules:
        when = rule.when
        if isinstance(when, AtClose):
            read = {one.name for _, one in when.reads() if isinstance(one, Reading)}
            assert read
            assert read <= values
        elif isinstance(when, Retest):
            assert any(when.names(*zone) for zone in zones)
        elif when.timeframe != "1d":
            assert any(names(rule, key) for key in known), rule.name


def test_liquidity_names_levels_of_the_daily_reading() -> None:
    """Two daily candles are enough for yesterday's high and low and the pivots."""
    row = {"ts_utc": "2023-08-01T00:00:00Z", "open": "2", "high": "4", "low": "1", "close": "3"}
    (reading,) = STAGE.restore({}).process([candle(row, 0, "1d")])
    assert isinstance(reading, LevelComputed)
    (rule_set,) = load(["liquidity"], [])
    for rule in rule_set.rules:
        assert any(names(rule, level.key) for level in reading.levels), rule.name
