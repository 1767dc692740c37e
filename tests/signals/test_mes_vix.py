"""The MES/VIX set on a real week, SPY for MES, against a brute force that uses none of it."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from services.indicators.domain.stage import STAGE
from services.signals.adapters.rule_files import load
from services.signals.domain.preview import Preview, in_order
from services.signals.domain.relaying import relayed
from services.signals.domain.rules import RuleSet
from services.signals.domain.step import SignalsStep
from shared.events import CandleClosed, Close, Event, LevelComputed, SignalGenerated, Window
from shared.events.base import micros
from tests.signals.pair import entry
from tests.signals.play import MINUTE, instrument, rules

QUARTER = 15 * MINUTE
WINDOW = 50


@pytest.fixture(scope="module")
def week(shared_data: Path) -> dict[str, pl.DataFrame]:
    """SPY and VIX, five sessions of February 2019, in candles of 15 minutes."""
    path = shared_data / "recorded" / "corr_vix_spy_1m_20190211_15.csv.gz"
    minutes = pl.read_csv(path).with_columns(
        at=pl.col("ts_utc").str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_unit="us")
    )
    return {
        symbol: minutes.filter(pl.col("symbol") == symbol)
        .sort("at")
        .group_by_dynamic("at", every="15m", closed="left")
        .agg(
            pl.col("open").first(),
            pl.col("high").max(),
            pl.col("low").min(),
            pl.col("close").last(),
        )
        for symbol in ("SPY", "VIX")
    }


def readings(symbol: str, frame: pl.DataFrame) -> list[LevelComputed]:
    """What the indicators service says after each candle."""
    candles = [_candle(symbol, number, row) for number, row in enumerate(frame.rows(named=True), 1)]
    told = STAGE.restore({}).process(candles)
    return [one for one in told if isinstance(one, LevelComputed)]


def _candle(symbol: str, number: int, row: dict[str, Any]) -> CandleClosed:
    open_at = _utc(row["at"])
    prices = {name: row[name] for name in ("open", "high", "low", "close")}
    return CandleClosed.model_validate(
        {
            "symbol": symbol,
            "at": open_at + QUARTER,
            "pos": number,
            "timeframe": "15m",
            "open_at": open_at,
            "session_at": open_at - open_at % (96 * QUARTER),
            **prices,
            "volume": 0,
            "ticks": 1,
            "source": "test",
            "origin": "live",
            "cause": "test",
        }
    )


def _utc(when: datetime) -> int:
    return micros(when.replace(tzinfo=UTC))


def the_set(threshold: float = -0.7) -> RuleSet:
    """The shipped set, for SPY; another threshold leaves more to compare."""
    (shipped,) = load(["mes_vix"], [])
    text = json.dumps(shipped.body).replace('"MES"', '"SPY"').replace("-0.7", str(threshold))
    return RuleSet.model_validate_json(text)


def played(week: dict[str, pl.DataFrame], rule_set: RuleSet, lag: int) -> list[SignalGenerated]:
    """Both symbols in the order of their times, VIX so many candles behind."""
    spy, vix = readings("SPY", week["SPY"]), readings("VIX", week["VIX"])
    step = SignalsStep({})
    step.process([instrument(symbol="SPY", tick_size=0.01, decimals=2), rules(rule_set)])
    events: list[tuple[int, int, list[Event]]] = [(one.at, 0, _own(one)) for one in spy]
    events += [(one.at + lag * QUARTER, 1, [entry(relayed(one))]) for one in vix]
    signals = [
        signal
        for _, _, some in sorted(events, key=lambda e: e[:2])
        for signal in step.process(some)
    ]
    return [signal for signal in signals if isinstance(signal, SignalGenerated)]


def _own(reading: LevelComputed) -> list[Event]:
    window = Window(timeframe="15m", open_at=reading.at - QUARTER)
    session_at = reading.session_at
    return [
        reading,
        Close(
            symbol="SPY", at=reading.at, pos=reading.pos, session_at=session_at, windows=(window,)
        ),
    ]


def swings(frame: pl.DataFrame) -> tuple[list[float | None], list[float | None]]:
    """SH and SL after each candle: the last high above two later ones and not below two earlier."""
    high, low = frame["high"].to_list(), frame["low"].to_list()
    return _peaks(high), [None if one is None else -one for one in _peaks([-one for one in low])]


def _peaks(high: Sequence[float]) -> list[float | None]:
    found: list[float | None] = []
    last = None
    for now in range(len(high)):
        middle = now - 2
        if middle >= 2:
            peak = high[middle]
            later, earlier = high[middle + 1 : now + 1], high[middle - 2 : middle]
            if all(peak > one for one in later) and all(peak >= one for one in earlier):
                last = peak
        found.append(last)
    return found


def by_hand(week: dict[str, pl.DataFrame], threshold: float) -> list[tuple[int, str]]:
    """Every candle at which a side becomes true that was known to be false at the one before."""
    frames = []
    for symbol, frame in week.items():
        high, low = swings(frame)
        frames.append(
            frame.select("at", close=pl.col("close"))
            .with_columns(pl.Series("sh", high), pl.Series("sl", low))
            .rename({name: f"{name}_{symbol}" for name in ("close", "sh", "sl")})
        )
    joined = frames[0].join(frames[1], "at").sort("at")
    closes = joined.select(pl.col("close_SPY").log(), pl.col("close_VIX").log()).to_numpy()
    moves = np.diff(closes, axis=0)
    corr: list[float | None] = [None] * len(joined)
    for end in range(WINDOW, len(joined)):
        corr[end] = float(np.corrcoef(moves[end - WINDOW : end].T)[0, 1])
    whole = frames[0].join(joined.with_columns(r=pl.Series(corr)), "at", how="left").sort("at")
    found: list[tuple[int, str]] = []
    for side in ("long", "short"):
        truths = [
            (_utc(row["at"]) + QUARTER, _truth(side, row, threshold))
            for row in whole.rows(named=True)
        ]
        found += [(at, side) for (_, was), (at, now) in pairwise(truths) if now and was is False]
    return sorted(found)


def _truth(side: str, row: dict[str, Any], threshold: float) -> bool | None:
    """All three, by Kleene: false if any is, unknown if one of the others is."""
    up = side == "long"
    spy = (row["close_SPY"], row["sh_SPY" if up else "sl_SPY"])
    vix = (row["close_VIX"], row["sl_VIX" if up else "sh_VIX"])
    parts = [_beyond(*spy, up), _beyond(*vix, not up)]
    parts.append(None if row["r"] is None else row["r"] < threshold)
    return False if False in parts else None if None in parts else True


def _beyond(close: float | None, swing: float | None, up: bool) -> bool | None:
    if close is None or swing is None:
        return None
    return close > swing if up else close < swing


@pytest.mark.parametrize("threshold", [-0.7, -0.5, 0.99])
@pytest.mark.parametrize("lag", [0, 3, 500])
def test_the_set_fires_where_the_brute_force_does(
    week: dict[str, pl.DataFrame], threshold: float, lag: int
) -> None:
    """Whenever VIX is told: at once, three candles late, or after the week is over."""
    signals = played(week, the_set(threshold), lag)
    assert [(one.at, one.direction) for one in signals] == by_hand(week, threshold)
    assert len(signals) >= 2


@pytest.mark.parametrize("threshold", [-0.7, 0.99])
def test_a_preview_fires_where_live_play_does(
    week: dict[str, pl.DataFrame], threshold: float
) -> None:
    """Out of recorded readings of both symbols, event by event."""
    rule_set = the_set(threshold)
    spy, vix = readings("SPY", week["SPY"]), readings("VIX", week["VIX"])
    closes = [one for reading in spy for one in _own(reading) if isinstance(one, Close)]
    preview = Preview(rule_set, "SPY")
    preview.play([instrument(symbol="SPY", tick_size=0.01, decimals=2)])
    preview.play([*in_order(closes, spy, vix)])
    found = [hit.signal.model_dump(exclude={"pos"}) for hit in preview.report().hits]
    live = [one.model_dump(exclude={"pos"}) for one in played(week, rule_set, 0)]
    assert found == live
    assert len(found) >= 2


def test_a_signal_tells_all_of_it(week: dict[str, pl.DataFrame]) -> None:
    """SPY and its swing, VIX and its swing, the correlation with its window and kind."""
    signal = played(week, the_set(), 0)[0]
    assert set(signal.operands) == {
        "close",
        "swing.high" if signal.direction == "long" else "swing.low",
        "VIX close",
        "VIX swing.low" if signal.direction == "long" else "VIX swing.high",
        "correlation:VIX:50:returns",
    }
    assert signal.operands["correlation:VIX:50:returns"] < -0.7
    assert signal.level.startswith("swing.")
    assert signal.level_price == signal.operands[signal.level]
    assert "correlation:VIX:50:returns -0." in signal.reason
