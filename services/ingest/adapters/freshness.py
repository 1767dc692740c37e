"""Watches how fresh each symbol's data are: looks at last prices, tells operators, shows it."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, Protocol

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from services.ingest.domain.freshness import (
    Cadence,
    Look,
    Pulse,
    Rule,
    Status,
    Turn,
    beat,
)
from services.ingest.domain.instruments import InstrumentTable
from services.ingest.domain.sessions import SessionCalendar
from shared.bus.connection import execute
from shared.bus.keys import Keys
from shared.bus.partitions import partition_of
from shared.clock import Clock
from shared.events.base import MICROS_PER_SECOND, stamp
from shared.events.ops import OpsKind
from shared.telemetry.metrics import MetricName, Row

log = structlog.get_logger(__name__)

STATUSES: tuple[Status, ...] = ("fresh", "late", "stale", "closed")
_LOOK_S = 1.0
# Longer than any run of holidays.
_FORGOTTEN_US = 10 * 86_400 * MICROS_PER_SECOND

Texts = Mapping[str, str]


class Tell(Protocol):
    """Tells operators of something about a symbol."""

    def __call__(self, kind: OpsKind, detail: str, symbol: str) -> Awaitable[None]:
        """Tell it."""
        ...


class Shown:
    """What the feed stage shows of its symbols, and what the candles stage does: the log's views.

    The view of freshness has one writer for a symbol at a time, or for moments two that see the
    same; it is only shown, so nothing rests on which of them is last.
    """

    def __init__(self, redis: Redis, keys: Keys) -> None:
        self.partitions = keys.partitions
        self._redis = redis
        self._keys = keys

    async def prices(self, partition: int) -> Texts:
        """The candles stage's view of a partition, by symbol.

        Raises:
            RedisError, OSError: the log is away.
        """
        return await self._all(self._keys.view(partition, "candles"))

    async def pulses(self, partition: int) -> Texts:
        """What was shown last of a partition's symbols.

        Raises:
            RedisError, OSError: the log is away.
        """
        return await self._all(self._keys.view(partition, "feed"))

    async def show(self, partition: int, texts: Texts, gone: Iterable[str]) -> None:
        """Show these, and these no more.

        Raises:
            RedisError, OSError: the log is away.
        """
        key = self._keys.view(partition, "feed")
        if texts:
            pairs = [part for pair in texts.items() for part in pair]
            await execute(self._redis, "HSET", key, *pairs)
        if names := list(gone):
            await execute(self._redis, "HDEL", key, *names)

    async def _all(self, key: str) -> Texts:
        flat = await execute(self._redis, "HGETALL", key)
        if isinstance(flat, dict):
            return flat
        return dict(zip(flat[::2], flat[1::2], strict=True))


class Freshness:
    """The pulses of the symbols in the partitions that this process feeds."""

    def __init__(
        self, shown: Shown, table: InstrumentTable, clock: Clock, tell: Tell, rule: Rule
    ) -> None:
        self._shown = shown
        self._table = table
        self._clock = clock
        self._tell = tell
        self._rule = rule
        self._pulses: dict[int, dict[str, Pulse]] = {}
        self._calendars: dict[str, SessionCalendar] = {}
        self._ages: dict[str, float] = {}

    async def run(
        self,
        owned: Callable[[], Sequence[int]],
        symbols: Callable[[], Awaitable[Sequence[str]]],
        now: Callable[[], int],
    ) -> None:
        """Look once a second, until cancelled, at those of the symbols that are in our partitions.

        ``now`` is the market's time, µs. A log that is away is asked again.
        """
        away = False
        while True:
            await asyncio.sleep(_LOOK_S)
            try:
                await self.look(owned(), await symbols(), now())
                away = False
            except (RedisError, OSError) as error:
                if not away:
                    log.warning("freshness_waits", reason=str(error))
                away = True

    async def look(self, owned: Sequence[int], symbols: Sequence[str], now: int) -> None:
        """Judge the symbols of these partitions at a time of the market.

        Raises:
            RedisError, OSError: the log is away.
        """
        for lost in self._pulses.keys() - set(owned):
            for symbol in self._pulses.pop(lost):
                self._ages.pop(symbol, None)
        mine: dict[int, list[str]] = {partition: [] for partition in owned}
        for symbol in symbols:
            partition = partition_of(symbol, self._shown.partitions)
            if partition in mine and self._table.find(symbol) is not None:
                mine[partition].append(symbol)
        for partition, wanted in mine.items():
            # One look at a partition without symbols shows what was dropped no more.
            if wanted or self._pulses.get(partition) != {}:
                await self._look(partition, wanted, now)

    def metrics(self) -> Iterator[tuple[MetricName, Iterable[Row]]]:
        """Ages of the newest prices, and each symbol's status as one of the four."""
        pulses = {s: one for part in self._pulses.values() for s, one in part.items()}
        yield "tideline_price_age_seconds", [((symbol,), age) for symbol, age in self._ages.items()]
        yield (
            "tideline_price_status",
            [
                ((symbol, status), float(pulse.status == status))
                for symbol, pulse in pulses.items()
                for status in STATUSES
            ],
        )

    async def _look(self, partition: int, symbols: Sequence[str], now: int) -> None:
        known = self._pulses.get(partition)
        if known is None:
            known = _restored(await self._shown.pulses(partition), now)
        prices = await self._shown.prices(partition)
        pulses, texts = {}, {}
        for symbol in symbols:
            last = json.loads(prices.get(symbol, "{}"))
            if self._forgotten(last.get("at"), now):
                continue
            look = Look(now, last.get("at"), round(1_000 * last.get("delay_ms", 0)))
            calendar = self._calendar(symbol)
            pulse = known.get(symbol, Pulse(awaited_since=now))
            pulse, turns = beat(pulse, look, calendar, self._rule)
            for turn in turns:
                await self._tell(turn.kind, _told(turn, symbol, now), symbol)
            pulses[symbol] = pulse
            texts[symbol] = self._text(pulse, look, last, calendar)
            if pulse.price_at is not None:
                self._ages[symbol] = max(0, now - pulse.price_at) / MICROS_PER_SECOND
        gone = known.keys() - pulses.keys()
        await self._shown.show(partition, texts, gone)
        self._pulses[partition] = pulses
        for symbol in gone:
            self._ages.pop(symbol, None)

    def _forgotten(self, price_at: int | None, now: int) -> bool:
        """Whether nobody expects a price any more, as of a contract that has expired."""
        return price_at is not None and now - price_at > _FORGOTTEN_US

    def _calendar(self, symbol: str) -> SessionCalendar:
        if symbol not in self._calendars:
            self._calendars[symbol] = SessionCalendar(self._table.get(symbol).session)
        return self._calendars[symbol]

    def _text(
        self, pulse: Pulse, look: Look, last: Mapping[str, Any], calendar: SessionCalendar
    ) -> str:
        """What is shown of a symbol: for people, and for whoever watches it after us."""
        limits = self._rule.limits(pulse.cadence)
        delay = max(look.delay, pulse.delay)
        span = calendar.at(look.now - delay) or calendar.next(look.now - delay)
        shown = {
            "status": pulse.status,
            "price_at": pulse.price_at,
            "source": last.get("source", ""),
            "now": look.now,
            "told_at": self._clock.now(),
            "delay_ms": delay // 1_000,
            "late_ms": limits.late // 1_000,
            "stale_ms": limits.stale // 1_000,
            "session": None if span is None else [span.open_at, span.end],
            "pulse": asdict(replace(pulse, cadence=Cadence(*map(round, pulse.cadence)))),
        }
        return json.dumps(shown, separators=(",", ":"))


def _restored(texts: Texts, now: int) -> dict[str, Pulse]:
    """The pulses that were shown last. What could not come while nobody looked is not overdue."""
    found = {}
    for symbol, text in texts.items():
        try:
            saved = json.loads(text)["pulse"]
            saved |= {"cadence": Cadence(*saved["cadence"]), "lags": tuple(saved["lags"])}
            found[symbol] = Pulse(**{**saved, "awaited_since": now})
        except (KeyError, TypeError, ValueError) as error:
            # Another version's: what was learnt is learnt again.
            log.warning("pulse_unreadable", symbol=symbol, reason=str(error))
    return found


def _told(turn: Turn, symbol: str, now: int) -> str:
    """The sentence for operators."""
    if turn.kind == "data_stale" and turn.price_at is None:
        return f"{symbol}: its market is open, but no price has come yet"
    last = "" if turn.price_at is None else stamp(turn.price_at)
    age = 0 if turn.price_at is None else max(0, now - turn.price_at) // MICROS_PER_SECOND
    return {
        "first_entry": f"{symbol}: first price of the session, of {last}",
        "last_entry": f"{symbol}: last price of the session, of {last}",
        "data_stale": f"{symbol}: its market is open, but its last price is {age} s old ({last})",
        "data_fresh": f"{symbol}: prices come again, the newest of {last}",
    }[turn.kind]
