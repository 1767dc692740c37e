"""How the simulated instruments behave: first price, size of moves, when in the day they move."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Rhythm = Literal["exchange", "around_the_clock"]

# How closely VIX moves against MES: SPY and VIX correlate at about -0.77 in 15-minute returns.
VIX_AGAINST_MES = -0.75


@dataclass(frozen=True, slots=True)
class Profile:
    """One instrument's behaviour.

    ``daily`` is the standard deviation of a session's log return, ``factor`` names what it shares
    with others and ``loading`` how much of its variance's root comes from there.
    """

    price: float
    daily: float
    rhythm: Rhythm
    factor: str
    loading: float
    lots: int


PROFILES: dict[str, Profile] = {
    "DAX": Profile(24_000.0, 0.010, "exchange", "equity", 0.75, 0),
    "NDX": Profile(21_800.0, 0.012, "exchange", "equity", 0.90, 0),
    "DJI": Profile(42_800.0, 0.009, "exchange", "equity", 0.85, 0),
    "EURUSD": Profile(1.1420, 0.005, "around_the_clock", "dollar", 0.60, 9),
    "GBPUSD": Profile(1.3480, 0.005, "around_the_clock", "dollar", 0.60, 9),
    # The cross is not simulated but computed from the two above: no arbitrage in the demo.
    "EURGBP": Profile(1.1420 / 1.3480, 0.0, "around_the_clock", "cross", 0.0, 9),
    "XAUUSD": Profile(3_320.0, 0.010, "around_the_clock", "gold", 0.30, 5),
    "MES": Profile(6_020.0, 0.010, "around_the_clock", "equity", 0.95, 7),
    "VIX": Profile(17.0, 0.060, "exchange", "MES", VIX_AGAINST_MES, 0),
    "NIFTY 50": Profile(25_100.0, 0.008, "exchange", "asia", 0.30, 0),
}


def rhythm_weights(rhythm: Rhythm, minutes: npt.NDArray[np.int64]) -> Floats:
    """Each minute's share of a session's variance; ``minutes`` count from 1970, shares sum to 1."""
    if rhythm == "exchange":
        through = (np.arange(len(minutes)) + 0.5) / len(minutes)
        weights = 0.5 + 2.0 * np.exp(-through / 0.05) + 1.0 * np.exp(-(1 - through) / 0.05)
    else:
        hour = (minutes % 1440) / 60.0
        weights = 0.35 + _hump(hour, 8.0, 1.5) + 1.6 * _hump(hour, 14.5, 1.8)
    return np.asarray(weights / weights.sum(), dtype=np.float64)


def _hump(hour: Floats, centre: float, width: float) -> Floats:
    apart = np.abs(hour - centre)
    apart = np.minimum(apart, 24 - apart)
    hump: Floats = np.exp(-0.5 * (apart / width) ** 2)
    return hump


def independent_part(loading: float) -> float:
    """What is left for an instrument's own chance, so that its variance stays one."""
    return math.sqrt(1 - loading * loading)
