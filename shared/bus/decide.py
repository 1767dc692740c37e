"""One stage and partition: from entries read to the commit that follows from them. No I/O."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import structlog

from shared.bus.log import START, Commit, Lease
from shared.bus.outputs import outputs_of
from shared.bus.poison import dead_letter
from shared.bus.share import DeadShare
from shared.bus.step import StageSpec, Step
from shared.bus.topics import Topic
from shared.events.base import Event
from shared.events.codec import Poison, RawEntry, decode
from shared.events.control import WATERMARK, DeadLetter, Watermark
from shared.events.spine import PARTITION_SYMBOL, SPINE, Close, Heartbeat

log = structlog.get_logger(__name__)

Item = tuple[str, Event | Poison]


@dataclass(slots=True)
class _Input:
    """One topic: what was read ahead, and how far the plan has come.

    ``edges`` are the last entries of the portions read ahead, ``passed`` those of portions taken
    since the last plan.
    """

    topic: Topic
    read: str
    taken: str
    planned: str
    count: int
    waiting: deque[Item] = field(default_factory=deque)
    edges: deque[str] = field(default_factory=deque)
    passed: list[str] = field(default_factory=list)

    def take(self) -> Event | Poison:
        self.taken, event = self.waiting.popleft()
        self.count += 1
        if self.taken == self.edges[0]:
            self.passed.append(self.edges.popleft())
        return event

    def rests_on(self) -> list[tuple[Topic, str]]:
        """What must still be there for all that was taken since the last plan to be true."""
        entries, self.passed = self.passed, []
        if self.taken not in (self.planned, *entries[-1:]):
            entries.append(self.taken)
        self.planned = self.taken
        return [(self.topic, entry_id) for entry_id in entries]


@dataclass(slots=True)
class _Plan:
    """What one pass over the inputs consumed."""

    events: list[Event] = field(default_factory=list)
    dead: list[DeadLetter] = field(default_factory=list)
    entries: list[tuple[Topic, str]] = field(default_factory=list)
    consumed: int = 0
    passed: int = 0
    closed: bool = False


class Decider:
    """Holds the machine of one stage and partition between its commits.

    The order of what the machine sees depends on the entries alone, never on when they arrived:
    the primary topic in its own order, and at each ``close`` first what the joined topic says of
    that position. There is at most one commit under way; ``plan`` makes it, ``settle`` ends it.
    """

    def __init__(self, spec: StageSpec, lease: Lease) -> None:
        self.spec = spec
        self.lease = lease
        self._seq = lease.seq
        self._share = DeadShare(lease.stage, lease.partition, lease.checkpoint)
        self._mark = int(lease.checkpoint.get("pos", "0"))
        self._time = 0
        self._saved = dict(lease.state)
        self._step = spec.restore(self._saved)
        self._primary = self._input(spec.primary)
        self._joined = None if spec.joined is None else self._input(spec.joined)
        self._joined_reached = 0
        self._unsaved: dict[str, str] = {}
        self.waits_for: int | None = None

    def _input(self, topic: Topic) -> _Input:
        offset = self.lease.checkpoint.get(topic, START)
        count = int(self.lease.checkpoint.get(f"n:{topic}", "0"))
        return _Input(topic, offset, offset, offset, count)

    @property
    def ready(self) -> bool:
        """Whether something read ahead can be decided without reading more."""
        return bool(self._primary.waiting) and self.waits_for is None

    def wants(self, limit: int) -> dict[Topic, str]:
        """The offsets to read on from; topics with ``limit`` entries read ahead are left out."""
        wanted = {}
        if len(self._primary.waiting) < limit:
            wanted[self._primary.topic] = self._primary.read
        if self._joined is not None and (
            self.waits_for is not None or len(self._joined.waiting) < limit
        ):
            wanted[self._joined.topic] = self._joined.read
        return wanted

    def offer(self, topic: Topic, entries: Sequence[RawEntry]) -> None:
        """Take entries that follow what was read so far."""
        source = self._primary if topic == self._primary.topic else self._joined
        assert source is not None, topic
        decoded = decode(entries)
        source.read = entries[-1][0]
        source.waiting.extend(decoded)
        source.edges.append(source.read)
        if source is self._joined:
            self._joined_reached = max(self._joined_reached, _reached(decoded))

    def plan(self, limit: int, views: bool = False) -> Commit | None:
        """Decide on what can be decided and return the commit, or None if there is nothing.

        Raises:
            TooManyDead: most of what was read lately would be stepped over.
        """
        plan = self._consume(limit)
        if not plan.consumed and not views:
            return None
        outputs = self._process(plan)
        shown = self._views() if views else {}
        if not plan.consumed and not shown:
            return None
        reason = plan.dead[-1].reason if plan.dead else ""
        checkpoint = self._share.take(plan.consumed, len(plan.dead), reason)
        checkpoint["pos"] = str(self._mark)
        rests_on: list[tuple[Topic, str]] = []
        for source in (self._primary, self._joined):
            if source is not None:
                checkpoint[source.topic] = source.taken
                checkpoint[f"n:{source.topic}"] = str(source.count)
                rests_on += source.rests_on()
        self._unsaved = self._step.changes()
        entries = outputs_of([*plan.dead, *outputs])
        if plan.closed:
            entries += outputs_of([self._watermark()], self.spec.output)
        return Commit(
            stage=self.spec.name,
            partition=self.lease.partition,
            token=self.lease.token,
            seq=self._seq,
            # A token is never issued twice and a decider never plans twice for one number.
            txid=f"{self.lease.token}/{self._seq}",
            checkpoint=checkpoint,
            state=self._unsaved,
            outputs=entries,
            views=shown,
            rests_on=rests_on,
            incarnation=self.lease.incarnation,
        )

    def settle(self) -> None:
        """The planned commit stands."""
        self._seq += 1
        for name, text in self._unsaved.items():
            if text == "":
                self._saved.pop(name, None)
            else:
                self._saved[name] = text
        self._unsaved = {}

    def _consume(self, limit: int) -> _Plan:
        plan = _Plan()
        self.waits_for = None
        while self._primary.waiting and plan.consumed < limit:
            head = self._primary.waiting[0][1]
            if self._joined is not None and isinstance(head, Close):
                if self._joined_reached < head.pos:
                    self.waits_for = head.pos
                    break
                self._consume_joined(plan, head.pos)
            self._note(plan, self._primary)
        # What is left of passed positions are watermarks: without this the stage would look
        # behind for as long as nothing closes.
        self._consume_joined(plan, self._mark)
        return plan

    def _consume_joined(self, plan: _Plan, pos: int) -> None:
        while self._joined is not None and self._joined.waiting:
            head = self._joined.waiting[0][1]
            if isinstance(head, Event) and head.pos > pos:
                break
            self._note(plan, self._joined)

    def _note(self, plan: _Plan, source: _Input) -> None:
        event = source.take()
        plan.consumed += 1
        if isinstance(event, Poison):
            plan.dead.append(dead_letter(self.spec.name, source.topic, source.taken, event))
            return
        if source is self._primary:
            if source.topic == SPINE or isinstance(event, Watermark):
                # Elsewhere several events share a position: only the watermark ends it.
                self._mark = event.pos
            plan.closed |= isinstance(event, Close | Heartbeat | Watermark)
            if isinstance(event, Heartbeat | Watermark):
                self._time = max(self._time, event.at)
        if not isinstance(event, Watermark):
            plan.events.append(event)
            plan.entries.append((source.topic, source.taken))

    def _process(self, plan: _Plan) -> list[Event]:
        try:
            return self._step.process(plan.events)
        except Exception as error:  # noqa: BLE001 - whatever it is, the event is kept with it
            log.warning("decision_failed", stage=self.spec.name, reason=repr(error))
            return self._process_around_poison(plan)

    def _process_around_poison(self, plan: _Plan) -> list[Event]:
        """Find the events that cannot be decided and step over each, from the saved state."""
        bad: dict[int, Exception] = {}
        while True:
            self._step = self.spec.restore(self._saved)
            outputs, failed = _try_each(self._step, plan.events, bad)
            if failed is None:
                break
            bad[failed[0]] = failed[1]
        for index, error in bad.items():
            topic, entry_id = plan.entries[index]
            poison = Poison(tuple(map(str, plan.events[index].wire())), f"undecidable: {error!r}")
            plan.dead.append(dead_letter(self.spec.name, topic, entry_id, poison))
        return outputs

    def _views(self) -> dict[str, str]:
        views = getattr(self._step, "views", None)
        return {} if views is None else views()

    def _watermark(self) -> Watermark:
        return Watermark(symbol=PARTITION_SYMBOL, at=self._time, pos=self._mark)


def _reached(decoded: Iterable[Item]) -> int:
    """How far a joined topic is known to be complete: a later position ends the one before."""
    reached = 0
    for _, event in decoded:
        if isinstance(event, Event):
            reached = max(reached, event.pos if event.TYPE == WATERMARK else event.pos - 1)
    return reached


def _try_each(
    step: Step, events: Sequence[Event], bad: dict[int, Exception]
) -> tuple[list[Event], tuple[int, Exception] | None]:
    outputs: list[Event] = []
    for index, event in enumerate(events):
        if index in bad:
            continue
        try:
            outputs += step.process([event])
        except Exception as error:  # noqa: BLE001 - reported in the dead letter
            return outputs, (index, error)
    return outputs, None
