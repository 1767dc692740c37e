"""After a run: whether the log holds what the guarantee says, and nothing else."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from shared.bus.log import START
from shared.bus.partitions import partition_of
from shared.bus.step import StageSpec
from shared.bus.topics import STAGE_INPUTS, StageName, Topic
from shared.events import Config, ConfigRequested, DeadLetter, Event, Watermark
from shared.events.codec import Decoded, Poison, decode
from shared.events.spine import PARTITION_SYMBOL
from tests.sim.faults import STAGES
from tests.sim.market import ASKED, Market
from tests.sim.oracle import Expected, expect
from tests.sim.server import Server, Standing

TOPICS: tuple[Topic, ...] = ("tick", "candle_closed", "level_computed", "signal_generated")


class Judge:
    """Compares everything that a server holds with what its spines lead to."""

    def __init__(self, server: Server, market: Market, chain: Sequence[StageSpec]) -> None:
        self._server = server
        self._market = market
        self._chain = chain
        self.compared: Counter[str] = Counter()
        self.undecided = 0

    def violations(self) -> Iterator[str]:
        """What is wrong, one sentence each."""
        for partition in range(self._server.partitions):
            for wrong in self._partition(partition):
                yield f"partition {partition}: {wrong}"

    def _partition(self, partition: int) -> Iterator[str]:
        entries = {topic: self._read(partition, topic) for topic in (*TOPICS, "inbox", "pushed")}
        events = {topic: _events(found) for topic, found in entries.items()}
        expected = expect(events["tick"], self._chain)
        self.undecided += expected.undecided.total()
        yield from _spine(events["tick"], self._market.entries[partition])
        yield from _configs(events["inbox"], events["tick"])
        yield from _dead(entries, expected, _events(self._read(partition, "dead_letter")))
        for topic in TOPICS:
            found = [event for event in events[topic] if not isinstance(event, Watermark)]
            self.compared[topic] += len(found)
            yield from _same(topic, expected.topics.get(topic, found), found)
            yield from _watermarks(topic, events[topic])
            yield from _places(topic, partition, self._server.partitions, found)
        for stage in STAGES:
            for wrong in self._commits(stage, partition):
                yield f"{stage}: {wrong}"

    def digest(self) -> str:
        """All that the log holds in one word, to tell one run from another."""
        whole = hashlib.sha256()
        for at in sorted(self._server.archive):
            whole.update(repr((at, self._server.archive[at])).encode())
        return whole.hexdigest()[:16]

    def _read(self, partition: int, topic: Topic) -> list[Decoded]:
        return decode(self._server.archive[partition, topic])

    def _commits(self, stage: StageName, partition: int) -> Iterator[str]:
        standing = self._server.standing[stage, partition]
        yield from _numbers(standing)
        yield from _tokens(standing)
        checkpoint = self._server.cell(stage, partition).checkpoint
        for topic in STAGE_INPUTS[stage]:
            ids = [START, *(entry_id for entry_id, _ in self._server.archive[partition, topic])]
            offset, read = checkpoint.get(topic, START), int(checkpoint.get(f"n:{topic}", "0"))
            if offset not in ids:
                yield f"has read {topic} up to {offset}, which is not there"
            elif ids.index(offset) != read:
                yield f"counts {read} entries of {topic} at number {ids.index(offset)}"


def _events(entries: Iterable[Decoded]) -> list[Event]:
    return [event for _, event in entries if isinstance(event, Event)]


def _spine(spine: list[Event], entries: list[Event]) -> Iterator[str]:
    if [event.pos for event in spine] != list(range(1, len(spine) + 1)):
        yield f"the spine's positions have gaps: {[event.pos for event in spine]}"
    written = [_name(event) for event in spine if not _is_asked(event)]
    if written != [_name(entry) for entry in entries]:
        yield f"the spine holds {written}, not all {len(entries)} entries in order"


def _name(entry: Event) -> str:
    return f"config:{entry.version}" if isinstance(entry, Config) else entry.id


def _is_asked(event: Event) -> bool:
    return isinstance(event, Config) and event.kind == ASKED


def _configs(inbox: list[Event], spine: list[Event]) -> Iterator[str]:
    asked = [event.version for event in inbox if isinstance(event, ConfigRequested)]
    given = [one.version for one in spine if isinstance(one, Config) and one.kind == ASKED]
    if asked != given:
        yield f"configs {asked} were asked for and {given} are on the spine"


def _same(topic: Topic, expected: list[Event], found: list[Event]) -> Iterator[str]:
    for number, (wanted, event) in enumerate(zip(expected, found, strict=False)):
        if wanted != event:
            yield f"{topic} {number} is {event!r}, not {wanted!r}"
            return
    if len(expected) != len(found):
        yield f"{topic} has {len(found)} events, not {len(expected)}"


def _watermarks(topic: Topic, events: list[Event]) -> Iterator[str]:
    mark = 0
    for event in events:
        if isinstance(event, Watermark):
            if event.pos < mark:
                yield f"{topic}'s watermark went from {mark} back to {event.pos}"
            mark = event.pos
        elif event.pos <= mark:
            yield f"{topic}'s watermark said {mark} before {event.id} of {event.pos}"


def _places(topic: Topic, partition: int, partitions: int, found: list[Event]) -> Iterator[str]:
    symbols = {event.symbol for event in found} - {PARTITION_SYMBOL}
    strangers = {one for one in symbols if partition_of(one, partitions) != partition}
    if strangers:
        yield f"{topic} holds {sorted(strangers)} of other partitions"


def _dead(
    entries: dict[Topic, list[Decoded]], expected: Expected, letters: list[Event]
) -> Iterator[str]:
    wanted: Counter[tuple[str, str, tuple[str, ...]]] = Counter(
        (stage, topic, event.fields)
        for stage in STAGES
        for topic in STAGE_INPUTS[stage]
        for _, event in entries[topic]
        if isinstance(event, Poison)
    )
    for (stage, event), times in expected.undecided.items():
        wanted[stage, event.TOPIC, tuple(map(str, event.wire()))] += times
    found = Counter(
        (letter.stage, letter.topic, tuple(letter.body))
        for letter in letters
        if isinstance(letter, DeadLetter)
    )
    if wanted != found:
        yield f"dead letters: {wanted - found} are missing, {found - wanted} too many"


def _numbers(standing: list[Standing]) -> Iterator[str]:
    numbers = [one.commit.seq for one in standing]
    if numbers != list(range(len(standing))):
        yield f"sequence numbers have gaps: {numbers}"
    if len({one.commit.txid for one in standing}) != len(standing):
        yield "one transaction id stands twice"


def _tokens(standing: list[Standing]) -> Iterator[str]:
    for one in standing:
        if one.commit.token != one.token:
            yield f"token {one.commit.token} committed while the lease had {one.token}"
    epochs = [int(one.commit.token.partition(":")[0]) for one in standing]
    if any(later < earlier for earlier, later in pairwise(epochs)):
        yield f"tokens went back: {epochs}"
