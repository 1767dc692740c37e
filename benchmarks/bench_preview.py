"""What a preview costs: a year of quarters of an hour through the default rule set.

Times are of the processor, on one core, so that a busy machine changes little.
"""

import gc
from random import Random
from time import process_time

from benchmarks.results import Goal, Row, row
from services.indicators.domain.defaults import recipes
from services.ingest.domain.instruments import InstrumentTable, built_in
from services.ingest.domain.items import FeedCandle
from services.ingest.domain.sessions import SessionCalendar
from services.ingest.domain.spine import SpineWriter
from services.signals.adapters.rule_files import load
from services.signals.domain.preview import Preview
from shared.events import Event
from shared.service.collector import calm_collector
from tideline.previewing import Chain

SYMBOL = "EURUSD"
DAYS = 366
REPEATS = 3
_QUARTER_US = 900_000_000
# 2025-01-01 00:00 UTC.
_START = 1_735_689_600_000_000
_GOAL = Goal(2.0, at_most=True)


def rows(quick: bool) -> list[Row]:
    """The figure with its goal: from recorded candles to every hit with its returns."""
    spine = year(DAYS // 10 if quick else DAYS)
    (rule_set,) = load(["liquidity"], [])
    everybody = recipes()
    thresholds = gc.get_threshold()
    calm_collector()

    def played() -> float:
        start = process_time()
        preview = Preview(rule_set, SYMBOL)
        Chain(preview, rule_set, everybody).play(spine)
        report = preview.report()
        took = process_time() - start
        assert report.hits
        return took

    value = min(played() for _ in range(REPEATS))
    gc.set_threshold(*thresholds)
    gc.unfreeze()
    candles = sum(event.TYPE == "candle_in" for event in spine)
    unit = f"s for {candles:,} recorded 15m candles, levels and signals computed anew"
    return [row("preview_year_s", value, unit, _GOAL)]


def year(days: int) -> list[Event]:
    """The spine of a random walk in the sessions of EURUSD; the same every time."""
    table = InstrumentTable(built_in())
    calendar = SessionCalendar(table.get(SYMBOL).session)
    chance, price, candles = Random(1), 1.1, []
    for number in range(days * 96):
        open_at = _START + number * _QUARTER_US
        if calendar.at(open_at) is None:
            continue
        open_, price = price, round(price * (1 + chance.gauss(0, 3e-4)), 5)
        high = round(max(open_, price) + abs(chance.gauss(0, 1e-4)), 5)
        low = round(min(open_, price) - abs(chance.gauss(0, 1e-4)), 5)
        prices = (open_, high, low, price)
        end = open_at + _QUARTER_US
        candles.append(FeedCandle(SYMBOL, "15m", open_at, end, *prices, 1.0, "bench", "live"))
    return SpineWriter(table, {}).process(candles)
