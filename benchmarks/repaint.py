"""Counts readings that were rewritten: ``python -m benchmarks.repaint [--data DIR]``.

Every series of candles in the folder is given to the indicators stage, whole and at once: that is
what was published. Then it is looked at prefix by prefix. *Each* prefix is ended by a stage
restarted from the text that was saved one candle before, and its last reading compared. Prefixes
of growing length are also played anew from nothing, and *all* their readings compared. A reading
that differs in any field from the published one was rewritten. Ends with one JSON line.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.candle_files import read_all
from services.indicators.domain.catalogue import CATALOGUE
from services.indicators.domain.stage import IndicatorsStep, Recipes
from shared.events import CandleClosed
from shared.market.timeframes import TIMEFRAMES

DATA = Path(__file__).parents[2] / "shared" / "data"
# Prefixes from nothing are played at these lengths; together they cost more than all the others.
ANEW = (1, 2, 3, 5, 10, 20, 30, 50, 100, 200, 500, 1_000, 2_000, 5_000)


class Count(NamedTuple):
    """How much was looked at, and how much of it was not what had been published."""

    prefixes: int
    readings: int
    rewritten: int


def everything() -> Recipes:
    """All that there is, on every timeframe."""
    return dict.fromkeys(TIMEFRAMES, tuple(recipe() for recipe in CATALOGUE.values()))


def count(candles: Sequence[CandleClosed], recipes: Recipes) -> Count:
    """Look at every prefix of one symbol's and timeframe's candles."""
    published = IndicatorsStep(recipes, {}).process(candles)
    prefixes = readings = rewritten = 0
    saved: dict[str, str] = {}
    for candle, expected in zip(candles, published, strict=True):
        step = IndicatorsStep(recipes, saved)
        rewritten += step.process([candle]) != [expected]
        saved |= step.changes()
        prefixes += 1
        readings += 1
    for length in (length for length in ANEW if length <= len(candles)):
        again = IndicatorsStep(recipes, {}).process(candles[:length])
        rewritten += sum(a != b for a, b in zip(again, published[:length], strict=True))
        prefixes += 1
        readings += length
    return Count(prefixes, readings, rewritten)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a line per series and the sum; 1 if anything was rewritten or nothing looked at."""
    parser = argparse.ArgumentParser(description="count readings that were rewritten")
    parser.add_argument("--data", type=Path, default=DATA, help="a folder of candle files")
    folder = parser.parse_args(arguments).data
    if not folder.is_dir():
        print(f"no such folder: {folder}; name one with --data", file=sys.stderr)
        return 2
    total = Count(0, 0, 0)
    for name, candles in read_all(folder):
        found = count(candles, everything())
        total = Count(*(a + b for a, b in zip(total, found, strict=True)))
        print(f"{name}: {found.readings} readings, {found.rewritten} rewritten", flush=True)
    print(json.dumps(total._asdict()))
    return 0 if total.readings and not total.rewritten else 1


if __name__ == "__main__":
    sys.exit(main())
