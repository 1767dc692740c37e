"""One stage and partition: from entries read to the commit that follows from them. No I/O."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import structlog

from shared.bus.inputs import Input
from shared.bus.log import Commit, Lease
from shared.bus.outputs import outputs_of
from shared.bus.poison import dead_letter
from shared.bus.share import DeadShare
from shared.bus.step import Quick, StageSpec, Step
from shared.bus.topics import Topic
from shared.events.base import Event
from shared.events.codec import Poison, RawEntry
from shared.events.control import DeadLetter, Watermark
from shared.events.spine import PARTITION_SYMBOL, SPINE, Close, Heartbeat
from shared.events.ticks import Ticks

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Part:
    """Events of one topic that the machine sees at once, and their entries."""

    topic: Topic
    ids: list[str]
    events: list[Event] | Ticks


@dataclass(slots=True)
class _Plan:
    """What was taken from the inputs since the last commit, and what followed from it.

    The machine has seen the first ``decided`` of the parts.
    """

    parts: list[_Part] = field(default_factory=list)
    decided: int = 0
    outputs: list[Event] = field(default_factory=list)
    dead: list[DeadLetter] = field(default_factory=list)
    consumed: int = 0
    closed: bool = False

    def add(self, topic: Topic, entry_id: str, event: Event) -> None:
        last = self.parts[-1] if len(self.parts) > self.decided else None
        if last is not None and last.topic == topic and isinstance(last.events, list):
            last.ids.append(entry_id)
            last.events.append(event)
        else:
            self.parts.append(_Part(topic, [entry_id], [event]))

    def each(self) -> Iterator[tuple[Topic, str, Event]]:
        """Everything that was taken, one by one."""
        for part in self.parts:
            for entry_id, event in zip(part.ids, part.events, strict=True):
                yield part.topic, entry_id, event


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
        # Only a spine has so many ticks, and only some steps take them as columns.
        self._in_runs = spec.primary == SPINE and hasattr(self._step, "ticks")
        self._primary = Input(spec.primary, lease.checkpoint)
        self._joined = None if spec.joined is None else Input(spec.joined, lease.checkpoint)
        self._plan = _Plan()
        self._unsaved: dict[str, str] = {}
        self.waits_for: int | None = None

    @property
    def ready(self) -> bool:
        """Whether something read ahead can be decided without reading more."""
        return self._primary.waiting > 0 and self.waits_for is None

    @property
    def holds(self) -> bool:
        """Whether something was decided and not yet committed."""
        return self._plan.consumed > 0

    def wants(self, limit: int) -> dict[Topic, str]:
        """The offsets to read on from; topics with ``limit`` entries read ahead are left out."""
        wanted = {}
        if self._primary.waiting < limit:
            wanted[self._primary.topic] = self._primary.read
        if self._joined is not None and (
            self.waits_for is not None or self._joined.waiting < limit
        ):
            wanted[self._joined.topic] = self._joined.read
        return wanted

    def offer(self, topic: Topic, entries: Sequence[RawEntry]) -> None:
        """Take entries that follow what was read so far."""
        source = self._primary if topic == self._primary.topic else self._joined
        assert source is not None, topic
        source.offer(entries, in_runs=self._in_runs and source is self._primary)

    def plan(self, limit: int, views: bool = False, hold: bool = False) -> Commit | None:
        """Decide on what can be decided and return the commit, or None if there is nothing.

        ``hold`` keeps back, for a later call to commit, what nobody waits for: entries that were
        decided on and from which nothing followed, as long as they are fewer than ``limit``.

        Raises:
            TooManyDead: most of what was read lately would be stepped over.
        """
        plan = self._plan
        self._consume(plan, limit)
        self._decide(plan)
        shown = self._views() if views else {}
        if not plan.consumed and not shown:
            return None
        telling = shown or plan.outputs or plan.dead or plan.closed
        if hold and not telling and plan.consumed < limit:
            return None
        self._plan = _Plan()
        return self._commit(plan, shown)

    def _commit(self, plan: _Plan, shown: dict[str, str]) -> Commit:
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
        entries = outputs_of([*plan.dead, *plan.outputs])
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

    def _consume(self, plan: _Plan, limit: int) -> None:
        self.waits_for = None
        while plan.consumed < limit and (head := self._primary.head) is not None:
            if isinstance(head, Ticks):
                self._note_run(plan, limit - plan.consumed)
                continue
            if self._joined is not None and isinstance(head, Close):
                if self._joined.reached < head.pos:
                    self.waits_for = head.pos
                    break
                self._consume_joined(plan, head.pos)
            self._note(plan, self._primary)
        # What is left of passed positions are watermarks: without this the stage would look
        # behind for as long as nothing closes.
        self._consume_joined(plan, self._mark)

    def _consume_joined(self, plan: _Plan, pos: int) -> None:
        while self._joined is not None and (head := self._joined.head) is not None:
            if isinstance(head, Event) and head.pos > pos:
                break
            self._note(plan, self._joined)

    def _note_run(self, plan: _Plan, most: int) -> None:
        ids, ticks = self._primary.take_run(most)
        plan.consumed += len(ticks)
        plan.parts.append(_Part(self._primary.topic, list(ids), ticks))
        self._mark = ticks.pos[-1]

    def _note(self, plan: _Plan, source: Input) -> None:
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
            plan.add(source.topic, source.taken, event)

    def _decide(self, plan: _Plan) -> None:
        try:
            for part in plan.parts[plan.decided :]:
                plan.outputs += _seen(self._step, part.events)
        except Exception as error:  # noqa: BLE001 - whatever it is, the event is kept with it
            log.warning("decision_failed", stage=self.spec.name, reason=repr(error))
            plan.outputs = self._decide_around_poison(plan)
        plan.decided = len(plan.parts)

    def _decide_around_poison(self, plan: _Plan) -> list[Event]:
        """Find the events that cannot be decided and step over each, from the saved state."""
        taken = list(plan.each())
        bad: dict[int, Exception] = {}
        while True:
            self._step = self.spec.restore(self._saved)
            outputs, failed = _try_each(self._step, [event for *_, event in taken], bad)
            if failed is None:
                break
            bad[failed[0]] = failed[1]
        for index, error in bad.items():
            topic, entry_id, event = taken[index]
            poison = Poison(tuple(map(str, event.wire())), f"undecidable: {error!r}")
            plan.dead.append(dead_letter(self.spec.name, topic, entry_id, poison))
        return outputs

    def _views(self) -> dict[str, str]:
        views = getattr(self._step, "views", None)
        return {} if views is None else views()

    def _watermark(self) -> Watermark:
        return Watermark(symbol=PARTITION_SYMBOL, at=self._time, pos=self._mark)


def _seen(step: Step, events: list[Event] | Ticks) -> list[Event]:
    """What a machine answers to events, ticks as columns where they are."""
    if not isinstance(events, Ticks):
        return step.process(events)
    quick: Quick = step  # type: ignore[assignment]
    return quick.ticks(events)


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
