"""Correlation of two symbols."""

from pathlib import Path
from random import Random

import numpy as np
import pytest

from services.indicators.domain.indicators.correlation import Correlation, Of
from tests.indicators.candles import recorded


@pytest.mark.parametrize("of", ["returns", "prices"])
def test_equals_numpy_over_every_window(of: Of) -> None:
    """Each window's value is numpy's for the same numbers, whatever the offset."""
    chance = Random(1)
    first = 100 + np.cumsum([chance.gauss(0, 1) for _ in range(400)]) / 10
    second = 1e6 - 50 * first + [chance.gauss(0, 1) for _ in range(400)]
    state = Correlation("VIX", 30, of).start()
    x, y = (np.diff(np.log(v)) if of == "returns" else v for v in (first, second))
    ours = [state.push(a, b) for a, b in zip(first, second, strict=True)]
    ours = ours[1:] if of == "returns" else ours
    assert ours[:29] == [None] * 29
    expected = [np.corrcoef(x[i - 29 : i + 1], y[i - 29 : i + 1])[0, 1] for i in range(29, len(x))]
    np.testing.assert_allclose(np.array(ours[29:], dtype=float), expected, rtol=0, atol=1e-9)


def test_market_and_its_fear_move_against_each_other(shared_data: Path) -> None:
    """Over a week of minutes SPY and VIX correlate at about -0.7 in returns, as published data do.

    numpy over the same joined minutes is the oracle; the sign is what the MES/VIX rule rests on.
    """
    path = shared_data / "recorded/corr_vix_spy_1m_20190211_15.csv.gz"
    spy = {candle.at: candle.close for candle in recorded(path, "SPY")}
    vix = {candle.at: candle.close for candle in recorded(path, "VIX")}
    both = sorted(spy.keys() & vix.keys())[-501:]
    state = Correlation("VIX", 500).start()
    value = None
    for at in both:
        value = state.push(spy[at], vix[at])
    x, y = (np.diff(np.log([prices[at] for at in both])) for prices in (spy, vix))
    assert value == pytest.approx(np.corrcoef(x, y)[0, 1], abs=1e-9)
    assert value is not None
    assert value < -0.5


def test_standing_still_correlates_with_nothing() -> None:
    """While one of the two does not move there is no value."""
    state = Correlation("VIX", 5, "prices").start()
    values = [state.push(100.1, 50 + n) for n in range(20)]
    assert values == [None] * 20


def test_restored_state_goes_on() -> None:
    """Saved and restored before every pair, nothing changes."""
    chance, recipe = Random(2), Correlation("VIX", 20)
    lasting, renewed = recipe.start(), recipe.start()
    for _ in range(100):
        pair = chance.uniform(90, 110), chance.uniform(10, 30)
        renewed = recipe.start().restore(renewed.snapshot())
        assert renewed.push(*pair) == lasting.push(*pair)
