"""A symbol's recorded past, as the stage would see it again."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from services.signals.domain.preview import Preview, Report, in_order
from services.signals.domain.rules import RuleSet
from shared.bus.redis_log import RedisLog
from shared.bus.redis_reads import RedisReads
from shared.events import CandleIn, Event, LevelComputed
from shared.events.codec import decode
from shared.market.timeframes import TIMEFRAMES, Timeframe

if TYPE_CHECKING:
    from shared.archive.reader import Archive

DAY_US = 86_400_000_000
# What a rule knows of before the range: levels of months, edges and cooldowns of some days.
LEVELS_BEFORE_US = 62 * DAY_US
PRICES_BEFORE_US = 7 * DAY_US
# Entries of one preview: a week of a busy symbol's ticks, or years of its candles.
ENTRIES_MAX = 2_000_000
_BATCH = 5_000


class TooMuch(Exception):
    """The range holds more than one preview may play."""


@dataclass(frozen=True, slots=True)
class Span:
    """Where to look: ``since <= at < until``."""

    symbol: str
    since: int
    until: int


class Recorded:
    """What the archive and the log hold of the past; readings are those that were published."""

    def __init__(self, folder: Path, log: RedisLog) -> None:
        self._folder = folder
        self._log = log

    async def newest(self, symbol: str) -> int | None:
        """When the symbol's newest price was; None if none has come.

        Raises:
            RedisError: the log is away.
        """
        shown = await RedisReads(self._log.redis, self._log.keys).views("candles", [symbol])
        at: int | None = orjson.loads(shown.get(symbol, "{}")).get("at")
        return at

    async def play(self, rule_set: RuleSet, span: Span, horizon: Timeframe | None = None) -> Report:
        """What the rules would have done in that time.

        Raises:
            TooMuch: the range is too long.
            RedisError: the log is away.
        """
        archive = self._archive()
        preview = Preview(rule_set, span.symbol, span.since, span.until, horizon)
        frames = timeframes(rule_set) | preview.timeframes
        spine = await self._spine(archive, span)
        # Of a candle the price is taken to pass every level that is known, of whatever timeframe.
        everything = any(isinstance(one, CandleIn) for one in spine)
        mine = {*TIMEFRAMES} if everything else frames
        readings = await self._readings(archive, span, mine)
        others = [
            reading
            for symbol in sorted(preview.others)
            for reading in await self._readings(
                archive, Span(symbol, span.since, span.until), frames
            )
        ]
        events = in_order(spine, readings, sorted(others, key=lambda one: one.at))
        for batch in _batches(events):
            # A long preview must not hold up everybody else's questions.
            await asyncio.to_thread(preview.play, batch)
        return preview.report()

    def _archive(self) -> "Archive":
        # Columns take 60 MB, which a worker without previews need not hold.
        from shared.archive.reader import Archive

        return Archive.at(self._folder, self._log.keys, self._log.redis)

    async def _spine(self, archive: "Archive", span: Span) -> list[Event]:
        import polars as pl

        first = max(0, span.since - PRICES_BEFORE_US)
        settings = await archive.table("tick", span.symbol, (0, first), pl.col("type") == "config")
        rows = await archive.table("tick", span.symbol, (first, span.until))
        if rows.height > ENTRIES_MAX:
            raise TooMuch(
                f"{rows.height:,} entries of {span.symbol} in that time, at most {ENTRIES_MAX:,} "
                "are played at once; ask for less of it"
            )
        return [*_events(settings), *_events(rows)]

    @staticmethod
    async def _readings(
        archive: "Archive", span: Span, frames: set[Timeframe]
    ) -> list[LevelComputed]:
        import polars as pl

        first = max(0, span.since - LEVELS_BEFORE_US)
        rows = await archive.table(
            "level_computed",
            span.symbol,
            (first, span.until),
            pl.col("timeframe").is_in(sorted(frames)),
        )
        return [one for one in _events(rows) if isinstance(one, LevelComputed)]


def timeframes(rule_set: RuleSet) -> set[Timeframe]:
    """Every timeframe that a rule of the set names."""
    return {frame for frame in TIMEFRAMES if _names(rule_set.body, frame)}


def _names(value: Any, frame: str) -> bool:
    if isinstance(value, dict):
        named = (value.get("timeframe"), value.get("on"))
        return frame in named or any(_names(one, frame) for one in value.values())
    return isinstance(value, list) and any(_names(one, frame) for one in value)


def _events(rows: Any) -> list[Event]:
    from shared.archive.columns import WRITTEN, entries

    found = decode(entries(rows.sort(WRITTEN)))
    return [event for _, event in found if isinstance(event, Event)]


def _batches(events: Iterator[Event]) -> Iterator[Sequence[Event]]:
    while batch := list(islice(events, _BATCH)):
        yield batch
