"""Relays readings of other symbols into a partition's inbox, for the writer to put on its spine.

Whatever it sends may come twice: the stage passes over what it knows. So nothing is kept of how far
it has come. A start, a change of rules and a failover are one thing: look up what the stage knows
in its own state, and send what is missing.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

import structlog
from redis.exceptions import RedisError

from services.signals.adapters.past import History, Rows
from services.signals.domain.others import Relayed
from services.signals.domain.relaying import (
    Feed,
    Forwarder,
    Needs,
    joined,
    known_until,
    looks_at_others,
    needs,
    relayed,
    request,
)
from services.signals.domain.rules import RuleSet
from services.signals.domain.step import OTHERS_FIELD, RULES_FIELD
from shared.bus.connection import execute
from shared.bus.lives import Lives
from shared.bus.partitions import partition_of
from shared.bus.redis_log import RedisLog
from shared.bus.redis_reads import RedisReads
from shared.events import LevelComputed, Watermark
from shared.events.codec import RawEntry, decode

log = structlog.get_logger(__name__)

_TURN_S = 0.1
# Turns between two looks at rules, symbols and lives.
_LOOK_TURNS = 20
_COUNT = 500
# Requests that a feed has not taken: more would only wait in the inbox.
_UNREAD_MAX = 2_000


@dataclass(slots=True)
class _Target:
    """One partition whose rules look at other symbols: where its readers are."""

    forwarder: Forwarder
    cursors: dict[int, str] = field(default_factory=dict)


class Relay:
    """Serves the partitions that ``owned`` names. Two relays that serve the same do no harm."""

    def __init__(self, log_: RedisLog, owned: Callable[[], Sequence[int]]) -> None:
        self._log = log_
        self._keys = log_.keys
        self._owned = owned
        self._past = History(log_)
        self._reads = RedisReads(log_.redis, log_.keys)
        self._lives = Lives(log_.redis, log_.keys)
        self._alive: list[str] = []
        self._targets: dict[int, _Target] = {}
        self._sets: dict[int, tuple[str, list[RuleSet]]] = {}
        self._full: set[int] = set()

    async def run(self) -> NoReturn:
        """Relay until cancelled; a log that is away is asked again."""
        turn = 0
        while True:
            try:
                if turn % _LOOK_TURNS == 0:
                    await self.look()
                await self.forward()
            except (RedisError, OSError) as error:
                log.warning("relay_waits", reason=str(error))
                # Nobody knows what has arrived: begin again from what the stage knows.
                self._targets.clear()
            turn += 1
            await asyncio.sleep(_TURN_S)

    async def look(self) -> None:
        """See which rules look at other symbols, and begin with those that are new.

        Raises:
            RedisError: the log is away.
        """
        alive = await self._lives.now()
        if alive != self._alive:
            self._alive = alive
            self._targets.clear()
        behind = (await self._reads.lag("feed"))["inbox"]
        self._full = {at for at, row in enumerate(behind) if row.behind > _UNREAD_MAX}
        wanted = {partition: await self._needs(partition) for partition in self._owned()}
        for partition in self._targets.keys() - wanted.keys():
            del self._targets[partition]
        for partition, found in wanted.items():
            target = self._targets.get(partition)
            if not found:
                self._targets.pop(partition, None)
            elif target is None or target.forwarder.needs != found:
                self._targets[partition] = await self._begin(partition, found)

    async def forward(self) -> None:
        """Send on what has been said since the last turn.

        Raises:
            RedisError: the log is away.
        """
        for partition, target in list(self._targets.items()):
            if partition in self._full:
                continue
            offsets = {(one, "level_computed"): at for one, at in target.cursors.items()}
            found = await self._log.read(offsets, count=_COUNT, block_ms=0)  # type: ignore[arg-type]
            for (source, _), entries in found.items():
                await self._send(partition, self._told(target.forwarder, source, entries))
                target.cursors[source] = entries[-1][0]

    def _told(
        self, forwarder: Forwarder, source: int, entries: Sequence[RawEntry]
    ) -> Iterable[Relayed]:
        here = {one for one in forwarder.symbols if self._source(one) == source}
        for _, event in decode(entry for entry in entries if _concerns(entry, here)):
            if isinstance(event, LevelComputed | Watermark):
                yield from forwarder.take(event, here)

    async def _needs(self, partition: int) -> Needs:
        state = self._keys.state(partition, "signals")
        text = await execute(self._log.redis, "HGET", state, RULES_FIELD) or "[]"
        known = self._sets.get(partition)
        if known is None or known[0] != text:
            known = self._sets[partition] = (text, looks_at_others(text))
        if not known[1]:
            return {}
        names = await execute(self._log.redis, "HKEYS", state)
        return needs(known[1], sorted(name for name in names if name[0] != "@" and ":" not in name))

    async def _begin(self, partition: int, wanted: Needs) -> _Target:
        """Send what the partition lacks of the past, and go on from there."""
        target = _Target(Forwarder(wanted))
        symbols = sorted(target.forwarder.symbols)
        fields = [OTHERS_FIELD + symbol for symbol in symbols]
        state = self._keys.state(partition, "signals")
        texts = await execute(self._log.redis, "HMGET", state, *fields)
        known = {
            (symbol, frame): until
            for symbol, text in zip(symbols, texts, strict=True)
            for frame, until in known_until(text).items()
        }
        for source in sorted({self._source(symbol) for symbol in symbols}):
            feeds = {feed: wanted[feed] for feed in wanted if self._source(feed[0]) == source}
            target.cursors[source], past = await self._past.of(source, {*feeds})
            for feed, rows in past.items():
                told = await self._missing(partition, (feed, wanted), rows, known.get(feed, 0))
                await self._send(partition, told)
                if rows:
                    target.forwarder.told(feed, rows[-1].at)
        log.info("relay_began", partition=partition, symbols=symbols)
        return target

    async def _missing(
        self, partition: int, what: tuple[Feed, Needs], rows: Rows, known: int
    ) -> list[Relayed]:
        """A feed's readings after the moment that is known, and the last one before it."""
        feed, wanted = what
        need = wanted[feed]
        before = sum(row.at <= known for row in rows)
        told = [relayed(row, need.keys) for row in rows[max(0, before - 1) :]]
        if told and need.pairs:
            other = {row.at: row.candle.close for row in rows}
            pasts = await self._past.of(partition, {(one, feed[1]) for one in need.pairs})
            pairs = {
                symbol: joined(
                    {row.at: row.candle.close for row in pasts[1][symbol, feed[1]]}, other, count
                )
                for symbol, count in need.pairs.items()
            }
            told[0] = told[0].model_copy(update={"pairs": pairs})
        return told

    async def _send(self, partition: int, told: Iterable[Relayed]) -> None:
        pipe = self._log.redis.pipeline(transaction=False)
        for one in told:
            pipe.execute_command(
                "XADD", self._keys.topic(partition, "inbox"), "*", *request(one).wire()
            )
        if len(pipe):
            await pipe.execute()

    def _source(self, symbol: str) -> int:
        return partition_of(symbol, self._keys.partitions)


def _concerns(entry: RawEntry, symbols: Collection[str]) -> bool:
    """Whether an entry is worth decoding."""
    fields = dict(zip(entry[1][::2], entry[1][1::2], strict=False))
    return fields.get("type") == Watermark.TYPE or fields.get("symbol", "") in symbols
