"""After a run: whether the log holds what its spine leads to, and the spine what the file holds."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from services.notifier.domain.intents import AlertIntent
from shared.bus.partitions import partition_of
from shared.bus.topics import Topic
from shared.events import AlertFired, DeadLetter, Event, Tick, Watermark
from shared.events.codec import Decoded, Poison
from tests.chaos.recording import Recording
from tideline.oracle import oracle

DERIVED: tuple[Topic, ...] = ("candle_closed", "level_computed", "signal_generated")
READ: tuple[Topic, ...] = ("tick", *DERIVED, "alert_intent", "alert_fired", "dead_letter")
# What must have been compared for a run to say anything.
TOPICS: tuple[Topic, ...] = READ[:-1]

Entries = Mapping[Topic, Sequence[Decoded]]
"""All entries of one partition by topic."""


@dataclass(slots=True)
class Judge:
    """Holds what the partitions hold against the recording; ``compared`` counts events."""

    recording: Recording
    partitions: int
    rolled_back: bool
    compared: Counter[str] = field(default_factory=Counter)
    signals: set[str] = field(default_factory=set)

    def violations(self, held: Sequence[Entries]) -> Iterator[str]:
        """What is wrong with the log, one sentence each."""
        for partition, entries in enumerate(held):
            for wrong in self._partition(partition, entries):
                yield f"partition {partition}: {wrong}"

    def deliveries(self, folder: Path) -> Iterator[str]:
        """What is wrong with the lines that channels gave away."""
        files = sorted(folder.glob("notifier-*.out"))
        lines = [json.loads(line) for path in files for line in path.read_text().splitlines()]
        keys: dict[str, set[str]] = {}
        for line in lines:
            keys.setdefault(line["signal"], set()).add(line["id"])
        for signal, ids in keys.items():
            if len(ids) > 1:
                yield f"{signal} was delivered under the keys {sorted(ids)}"
        if silent := self.signals - keys.keys():
            yield f"{len(silent)} signals were never delivered: {min(silent)}"
        if not self.rolled_back and (unknown := keys.keys() - self.signals):
            yield f"{len(unknown)} deliveries of no signal: {min(unknown)}"

    def _partition(self, partition: int, entries: Entries) -> Iterator[str]:
        for topic in READ:
            yield from _readable(topic, entries[topic])
        found = {topic: events_of(entries[topic]) for topic in READ}
        expected = oracle(found["tick"]).topics
        yield from _positions(found["tick"])
        yield from self._ticks(partition, found["tick"])
        for topic in TOPICS:
            self.compared[topic] += len(found[topic])
            yield from _once(topic, found[topic])
            yield from _watermarks(topic, entries[topic])
        for topic in DERIVED:
            yield from _same(topic, expected[topic], found[topic])
        for letter in found["dead_letter"]:
            assert isinstance(letter, DeadLetter)
            yield f"a dead letter of {letter.stage}: {letter.reason}"
        yield from self._alerts(found)

    def _ticks(self, partition: int, spine: list[Event]) -> Iterator[str]:
        rows = [(e.at, e.symbol, e.price, e.size) for e in spine if isinstance(e, Tick)]
        given = [
            row for row in self.recording.rows if partition_of(row[1], self.partitions) == partition
        ]
        for symbol in sorted({row[1] for row in (*given, *rows)}):
            wanted = [row for row in given if row[1] == symbol]
            got = [row for row in rows if row[1] == symbol]
            if got != wanted:
                missing, extra = Counter(wanted) - Counter(got), Counter(got) - Counter(wanted)
                yield (
                    f"{symbol}: {missing.total()} of the file's ticks are missing, "
                    f"{extra.total()} too many, of {len(wanted)}"
                )

    def _alerts(self, found: Mapping[Topic, list[Event]]) -> Iterator[str]:
        signals = [event.id for event in found["signal_generated"]]
        self.signals.update(signals)
        intents = [e.signal for e in found["alert_intent"] if isinstance(e, AlertIntent)]
        if intents != signals:
            yield f"{len(intents)} intents follow {len(signals)} signals, or in another order"
        receipts = [e for e in found["alert_fired"] if isinstance(e, AlertFired)]
        delivered = Counter(receipt.signal for receipt in receipts if receipt.status == "delivered")
        if delivered != Counter(signals):
            missing, extra = Counter(signals) - delivered, delivered - Counter(signals)
            yield f"receipts: {missing.total()} missing, {extra.total()} too many"


def events_of(entries: Sequence[Decoded]) -> list[Event]:
    """The events of a topic without its watermarks."""
    return [e for _, e in entries if isinstance(e, Event) and not isinstance(e, Watermark)]


def _readable(topic: Topic, entries: Sequence[Decoded]) -> Iterator[str]:
    for entry_id, event in entries:
        if isinstance(event, Poison):
            yield f"{topic} {entry_id} is no event: {event.reason}"


def _positions(spine: list[Event]) -> Iterator[str]:
    for wanted, event in enumerate(spine, 1):
        if event.pos != wanted:
            yield f"the spine's entry {wanted} has position {event.pos}"
            return


def _once(topic: Topic, events: list[Event]) -> Iterator[str]:
    twice = [name for name, count in Counter(event.id for event in events).items() if count > 1]
    if twice:
        yield f"{topic} holds {len(twice)} events more than once: {twice[0]}"


def _same(topic: Topic, expected: list[Event], found: list[Event]) -> Iterator[str]:
    for number, (wanted, event) in enumerate(zip(expected, found, strict=False)):
        if wanted != event:
            yield f"{topic} {number} is {event!r}, not {wanted!r}"
            return
    if len(expected) != len(found):
        yield f"{topic} has {len(found)} events, not {len(expected)}"


def _watermarks(topic: Topic, entries: Sequence[Decoded]) -> Iterator[str]:
    mark = 0
    for entry_id, event in entries:
        if isinstance(event, Watermark):
            mark = max(mark, event.pos)
        elif isinstance(event, Event) and event.pos <= mark:
            yield f"{topic} {entry_id}: a watermark had said {mark} before {event.id}"
            return
