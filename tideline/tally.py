"""What a run has done: how many events of each type, and how long alerts took."""

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from shared.bus.connection import execute
from shared.bus.log import START, At
from shared.bus.redis_log import RedisLog
from shared.bus.topics import Topic
from shared.events import AlertFired, DeadLetter, SignalGenerated
from shared.events.codec import RawEntry, decode

CHANNEL = "console"
# Signals before alerts: one read shows both at one moment, so an alert's signal is always known.
_TOPICS: tuple[Topic, ...] = (
    "tick",
    "candle_closed",
    "level_computed",
    "signal_generated",
    "alert_fired",
    "dead_letter",
)
_COUNT = 10_000
_LATENCIES_KEPT = 100_000
_PAGE = 200
_REASONS_MAX = 10


@dataclass(frozen=True, slots=True)
class Totals:
    """A run in figures. Times are from a spine entry to its alert's receipt, by stream entry id."""

    ticks: int
    candles: int
    levels: int
    signals: int
    alerts: int
    p50_ms: int | None
    p99_ms: int | None
    dead_letters: int

    @property
    def idle(self) -> list[str]:
        """The events of which there were none: their stage did nothing."""
        counts = ("ticks", "candles", "levels", "signals", "alerts")
        return [name for name in counts if getattr(self, name) == 0]

    @property
    def sentence(self) -> str:
        """The counts in one line."""
        return (
            f"{self.ticks:,} ticks, {self.candles:,} candles, {self.levels:,} levels, "
            f"{self.signals:,} signals, {self.alerts:,} alerts"
        )


def percentile(values: Sequence[int], share: float) -> int | None:
    """The smallest value that so large a share of the values does not exceed (nearest rank)."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[max(1, ceil(share * len(ordered))) - 1]


def milliseconds(entry_id: str) -> int:
    """When the server wrote an entry, out of its id."""
    return int(entry_id.partition("-")[0])


@dataclass(frozen=True, slots=True)
class _Seen:
    """Where a signal came from, and its own entry."""

    partition: int
    pos: int
    entry: str


class Tally:
    """Counts a namespace's events by reading along, from the beginning."""

    def __init__(self, log: RedisLog) -> None:
        self._log = log
        self._offsets: dict[At, str] = {
            (partition, topic): START for topic in _TOPICS for partition in range(log.partitions)
        }
        self._counts: Counter[str] = Counter()
        self._signals: dict[str, _Seen] = {}
        self._latencies: deque[int] = deque(maxlen=_LATENCIES_KEPT)
        self._reasons: list[str] = []
        self._reasons_noted = 0

    @property
    def totals(self) -> Totals:
        """Everything up to the last reading."""
        counts = self._counts
        latencies = list(self._latencies)
        return Totals(
            ticks=counts["tick"],
            candles=counts["candle_closed"],
            levels=counts["level_computed"],
            signals=counts["signal_generated"],
            alerts=counts["alert_fired"],
            p50_ms=percentile(latencies, 0.50),
            p99_ms=percentile(latencies, 0.99),
            dead_letters=counts["dead_letter"],
        )

    def new_reasons(self) -> list[str]:
        """Why events became dead letters, as far as not told yet; the first ten of a run."""
        told, self._reasons = self._reasons, []
        return told

    async def read_on(self) -> None:
        """Count everything written since the last time."""
        while True:
            batch = await self._log.read(self._offsets, count=_COUNT, block_ms=0)
            if not batch:
                return
            await self._take(batch)

    async def _take(self, batch: Mapping[At, Sequence[RawEntry]]) -> None:
        for at in self._offsets.keys() & batch.keys():
            self._offsets[at] = batch[at][-1][0]
            self._counts.update(fields[1] for _, fields in batch[at] if len(fields) > 1)
        for (partition, topic), entries in batch.items():
            if topic == "signal_generated":
                self._note_signals(partition, entries)
            elif topic == "dead_letter":
                self._note_reasons(entries)
        for (_, topic), entries in batch.items():
            if topic == "alert_fired":
                await self._note_alerts(entries)

    def _note_signals(self, partition: int, entries: Sequence[RawEntry]) -> None:
        for entry, signal in decode(entries):
            if isinstance(signal, SignalGenerated):
                self._signals[signal.id] = _Seen(partition, signal.pos, entry)

    def _note_reasons(self, entries: Sequence[RawEntry]) -> None:
        room = max(0, _REASONS_MAX - self._reasons_noted)
        for _, letter in decode(entries[:room]):
            if isinstance(letter, DeadLetter):
                self._reasons.append(
                    f"{letter.symbol} {letter.topic} {letter.entry}: {letter.reason}"
                )
                self._reasons_noted += 1

    async def _note_alerts(self, entries: Sequence[RawEntry]) -> None:
        for entry, alert in decode(entries):
            if isinstance(alert, AlertFired) and alert.channel == CHANNEL:
                seen = self._signals.pop(alert.signal, None)
                origin = None if seen is None else await self._spine_entry(seen)
                if origin is not None:
                    self._latencies.append(milliseconds(entry) - milliseconds(origin))

    async def _spine_entry(self, seen: _Seen) -> str | None:
        """The id of the spine entry that a signal follows from: shortly before the signal's own."""
        key = self._log.keys.topic(seen.partition, "tick")
        last = seen.entry
        while True:
            page = await execute(self._log.redis, "XREVRANGE", key, last, "-", "COUNT", str(_PAGE))
            for entry, fields in page:
                pos = int(dict(zip(fields[::2], fields[1::2], strict=True)).get("pos", 0))
                if pos == seen.pos:
                    return str(entry)
                if pos < seen.pos:
                    return None
            if not page:
                return None
            last = f"({page[-1][0]}"
