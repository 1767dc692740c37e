"""Every value agrees with an independent answer, on all real data there is."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import talib

from services.indicators.domain.catalogue import CATALOGUE, parse
from shared.events import CandleClosed
from tests.indicators.candles import closed, every_series, spy
from tests.indicators.oracles import ORACLES, Array, columns

# Candles of the longest series that the slow plain loops are run over.
ENOUGH = 3_000


@pytest.fixture(scope="module")
def every(shared_data: Path) -> dict[str, list[CandleClosed]]:
    return every_series(shared_data)


def computed(recipe: str, candles: Sequence[CandleClosed]) -> dict[str, Array]:
    """The outputs after each candle, nan where there is none."""
    what = parse(recipe)
    state = what.start()
    rows: list[list[Any]] = []
    for candle in candles:
        state.update(candle)
        rows.append([getattr(state, output) for output in what.OUTPUTS])
    return dict(zip(what.OUTPUTS, np.array(rows, dtype=float).T, strict=True))


def test_every_value_has_an_oracle() -> None:
    """Every recipe that gives values is compared below."""
    with_values = {recipe().name for recipe in CATALOGUE.values() if recipe.OUTPUTS}
    assert with_values == set(ORACLES)


@pytest.mark.parametrize("recipe", ORACLES)
def test_values_equal_the_oracle(recipe: str, every: dict[str, list[CandleClosed]]) -> None:
    """Over every series the values are within 1e-9 of the oracle's wherever that has any.

    TA-Lib withholds the first outputs of MACD's line and of the stochastic's k until the slowest
    output exists; ours are there as soon as they can be.
    """
    compared = 0
    for name, candles in every.items():
        history = candles[:ENOUGH] if recipe in ("supertrend:10:3", "atr_stop:14:3") else candles
        ours, theirs = computed(recipe, history), ORACLES[recipe](columns(history))
        for output, expected in theirs.items():
            there = ~np.isnan(expected)
            np.testing.assert_allclose(
                ours[output][there], expected[there], rtol=0, atol=1e-9, err_msg=name
            )
            if recipe not in ("macd:12:26:9", "stochastic:14:3:3"):
                assert np.isnan(ours[output][~there]).all(), name
            compared += int(there.sum())
    assert compared > 20_000 or recipe == "vwap"


def test_bollinger_equals_talib(every: dict[str, list[CandleClosed]]) -> None:
    """TA-Lib's own bands agree too, but for digits that its sum of squares loses.

    At DJI's 34,000 that is up to 1.5e-9, so the tolerance also grows with the price.
    """
    for name, candles in every.items():
        ours = computed("bollinger:20:2", candles)
        theirs = talib.BBANDS(columns(candles).close, 20, 2, 2)
        for output, expected in zip(("upper", "middle", "lower"), theirs, strict=True):
            np.testing.assert_allclose(ours[output], expected, rtol=1e-13, atol=1e-9, err_msg=name)


# Our recipe; the published field for each output; from which row on both say the same.
SKENDER = {
    "sma": ("sma:20", {"value": "sma"}, 0),
    "ema": ("ema:20", {"value": "ema"}, 0),
    "rsi": ("rsi:14", {"value": "rsi"}, 0),
    "atr": ("atr:14", {"value": "atr"}, 0),
    "bb": ("bollinger:20:2", {"upper": "upperBand", "middle": "sma", "lower": "lowerBand"}, 0),
    # Seeds its fast average 14 candles earlier than TA-Lib does; the difference fades.
    "macd": (
        "macd:12:26:9",
        {"line": "macd", "signal": "signal", "histogram": "histogram"},
        200,
    ),
    # Sums 14 movements before it smooths, TA-Lib 13; the difference fades.
    "adx": ("adx:14", {"value": "adx", "plus": "pdi", "minus": "mdi"}, 420),
    "donchian": (
        "donchian:20",
        {"upper": "upperBand", "middle": "centerline", "lower": "lowerBand"},
        0,
    ),
    "vwap": ("vwap", {"value": "vwap"}, 0),
}


@pytest.mark.parametrize("name", SKENDER)
def test_values_equal_skenders_published_results(shared_data: Path, name: str) -> None:
    """On two years of SPY the values are within 1e-9 of the published ones.

    Two more differences of definition: its Donchian channel leaves out the latest candle, so it is
    ours of the candle before; its VWAP runs over the whole file, which is one session here.
    """
    recipe, fields, since = SKENDER[name]
    candles = spy(shared_data)
    if name == "vwap":
        candles = [c.model_copy(update={"session_at": candles[0].session_at}) for c in candles]
    rows = json.loads((shared_data / f"golden/skender/results/{name}.standard.json").read_text())
    ours = computed(recipe, candles)
    for output, field in fields.items():
        expected = np.array([row.get(field) for row in rows], dtype=float)
        values = ours[output]
        if name == "donchian":
            values = np.concatenate([[np.nan], values[:-1]])
        np.testing.assert_allclose(values[since:], expected[since:], rtol=0, atol=1e-9)


def test_swings_equal_skenders_published_pivots(shared_data: Path) -> None:
    """Its swing points, with two candles on each side, are ours, confirmed two candles later.

    It names the point on its own row, two candles before anybody can know it.
    """
    candles = spy(shared_data)
    rows = json.loads((shared_data / "golden/skender/results/pivots.standard.json").read_text())
    for side, field in (("high", "highPoint"), ("low", "lowPoint")):
        expected = {i: row[field] for i, row in enumerate(rows) if row[field] is not None}
        state, found = parse("swing:2").start(), dict[int, float]()
        for i, candle in enumerate(candles):
            before = getattr(state, side)
            state.update(candle)
            if getattr(state, side) != before:
                found[i - 2] = getattr(state, side)
        assert found == expected


# Its call; our recipe; our output for each of its fields. It publishes five or six decimals.
# Left out, because 50 candles are too few for the seeds' difference to fade: MACD and ADX (as with
# Skender), SuperTrend (its ATR counts the first candle, which has no close before it).
TALIPP: dict[str, tuple[str, dict[str | None, str]]] = {
    "RSI(20, INPUT)": ("rsi:20", {None: "value"}),
    "ATR(5, INPUT)": ("atr:5", {None: "value"}),
    "EMA(20, INPUT)": ("ema:20", {None: "value"}),
    "SMA(20, INPUT)": ("sma:20", {None: "value"}),
    "BB(5, 2, INPUT)": ("bollinger:5:2", {"lb": "lower", "cb": "middle", "ub": "upper"}),
    # Its k is the raw reading.
    "Stoch(14, 3, INPUT)": ("stochastic:14:1:3", {"k": "k", "d": "d"}),
    "VWAP(INPUT)": ("vwap", {None: "value"}),
    "DonchianChannels(5, INPUT)": ("donchian:5", {"lb": "lower", "cb": "middle", "ub": "upper"}),
}


@pytest.mark.parametrize("call", TALIPP)
def test_values_equal_talipps_published_cases(shared_data: Path, call: str) -> None:
    """The cases of talipp's own tests give the values written there."""
    folder = shared_data / "golden/talipp"
    inputs = json.loads((folder / "inputs.json").read_text())
    case = next(c for c in json.loads((folder / "expected.json").read_text()) if c["call"] == call)
    recipe, fields = TALIPP[call]
    ours = computed(recipe, _candles(inputs[case["input"]]))
    for point in case["expected"]:
        if point["field"] in fields:
            value = ours[fields[point["field"]]][point["index"]]
            assert value == pytest.approx(point["value"], abs=1e-5), point


def _candles(given: Any) -> list[CandleClosed]:
    if isinstance(given, list):
        given = dict.fromkeys(("open", "high", "low", "close"), given)
    parts = zip(*(given[part] for part in ("open", "high", "low", "close")), strict=True)
    volumes = given.get("volume", [0.0] * len(given["close"]))
    return [
        closed(n, open_, max(open_, high, close), min(open_, low, close), close, volume=volume)
        for n, ((open_, high, low, close), volume) in enumerate(zip(parts, volumes, strict=True))
    ]
