"""The chain of the real services, over spines that the real writer wrote of a wild market."""

from collections import deque
from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

from services.indicators.domain.stage import STAGE as INDICATORS
from services.ingest.domain.candles import CANDLES
from services.ingest.domain.instruments import InstrumentTable, built_in, simulated
from services.ingest.domain.items import FeedTick, FeedTime, Item
from services.ingest.domain.spine import SpineWriter
from services.signals.app import STAGE as SIGNALS
from services.signals.domain.others import Relayed
from services.signals.domain.relaying import request
from services.signals.domain.rules import RuleSet
from shared.bus.partitions import partition_of
from shared.events import Config, Event
from tests.sim.market import Market

CHAIN = (CANDLES, INDICATORS, SIGNALS)
_SECOND = 1_000_000
# Thursday 2026-11-19, 21:35 UTC: half an hour before New York ends its session, so that there is a
# day before the one that the rest of the market belongs to.
_START = (1_795_046_400 + 21 * 3_600 + 35 * 60) * _SECOND
_EVERY_S = 45
_TICKS = 60
# Waits for another symbol's candle, at every minute.
_OTHER = {
    "kind": "candle",
    "timeframe": "1m",
    "direction": "long",
    "condition": {"kind": "above", "left": "close of VIX", "right": 20},
}
_PRICES = {"EURUSD": 1.08, "EURGBP": 0.86, "GBPUSD": 1.26}


def draw_house_market(chance: Random, partitions: int, seconds: float) -> Market:
    """Prices of a few currencies that jump about their levels, on their partitions' spines."""
    entries = [_spine(chance, partition, partitions) for partition in range(partitions)]
    return Market(entries, seconds)


def _spine(chance: Random, partition: int, partitions: int) -> list[Event]:
    symbols = [name for name in _PRICES if partition_of(name, partitions) == partition]
    writer = SpineWriter(InstrumentTable(simulated(built_in())), {})
    entries = writer.process(list(_items(chance, symbols)))
    return [_rules(), *_with_another(chance, entries)]


def _with_another(chance: Random, entries: Sequence[Event]) -> Iterator[Event]:
    """The entries, with what was relayed of another symbol in between, minutes late or early."""
    told = deque(_relayed(chance))
    for entry in entries:
        while told and told[0].at <= entry.at + chance.randint(-300, 100) * _SECOND:
            yield told.popleft()
        yield entry
    yield from told


def _relayed(chance: Random) -> Iterator[Config]:
    """Most minutes have a candle, of some it is said that there is none, of some nothing."""
    for minute in range(_TICKS * _EVERY_S // 60 + 2):
        at = _START + minute * 60 * _SECOND
        numbers = {"close": float(chance.randint(15, 25))} if chance.random() < 0.8 else {}
        if chance.random() < 0.9:
            told = request(Relayed(symbol="VIX", timeframe="1m", at=at, numbers=numbers))
            yield Config(**told.model_dump())


def _rules() -> Config:
    """Whatever touches yesterday's levels or a swing gives a signal, as often as it does."""
    rules: list[dict[str, Any]] = [
        {
            "name": name,
            "when": {"kind": "touch", "timeframe": timeframe, "levels": [levels]},
            "life": {"rearm_ticks": 3, "cooldown_s": 0},
        }
        for name, timeframe, levels in (("day", "1d", "*"), ("minutes", "5m", "swing.*"))
    ]
    rules.append({"name": "other", "when": _OTHER, "life": {"cooldown_s": 0}})
    made = RuleSet.model_validate({"name": "sim", "signals_a_day_max": 1_000, "rules": rules})
    return Config(
        symbol="*",
        at=_START,
        pos=0,
        kind="rules",
        name=made.name,
        version=made.version,
        body=made.body,
    )


def _items(chance: Random, symbols: list[str]) -> Iterator[Item]:
    for number in range(_TICKS):
        at = _START + number * _EVERY_S * _SECOND
        for symbol in symbols:
            # Half of the prices are near the open, the rest anywhere: levels are met again.
            jump = chance.choice([0.0, 0.0, 0.0001, -0.0001, chance.uniform(-0.002, 0.002)])
            yield FeedTick(symbol, at, round(_PRICES[symbol] + jump, 5), 1.0, "sim")
        yield FeedTime(at + _EVERY_S * _SECOND)
