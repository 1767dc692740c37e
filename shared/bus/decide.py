"""One stage and partition: from entries read to the commit that follows from them. No I/O."""

from collections.abc import Sequence

import structlog

from shared.bus.cap import TooLarge, check
from shared.bus.inputs import Input
from shared.bus.log import Commit, Lease
from shared.bus.outputs import outputs_of
from shared.bus.plan import Part, Plan
from shared.bus.poison import dead_letter
from shared.bus.share import DeadShare
from shared.bus.step import Quick, StageSpec, Step
from shared.bus.topics import Topic
from shared.events.base import Event
from shared.events.codec import Poison, RawEntry
from shared.events.control import Watermark
from shared.events.spine import PARTITION_SYMBOL, SPINE, Close, Heartbeat
from shared.events.ticks import Ticks

log = structlog.get_logger(__name__)

# More entries than anybody asks for in one commit.
_ANY = 1 << 20


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
        self._checkpoint = dict(lease.checkpoint)
        self._saved = dict(lease.state)
        # What a commit may hold of entries read, and the entry of which not even one fits.
        self._most = _ANY
        self._refused: tuple[str, str] | None = None
        self._sent: Commit | None = None
        self._begin()

    def _begin(self) -> None:
        """Go on from the last commit, with nothing read."""
        self._share = DeadShare(
            self.lease.stage, self.lease.partition, self._checkpoint, self.spec.dead_share
        )
        self._mark = int(self._checkpoint.get("pos", "0"))
        self._time = 0
        self._step = self.spec.restore(self._saved)
        # Only a spine has so many ticks, and only some steps take them as columns.
        self._in_runs = self.spec.primary == SPINE and hasattr(self._step, "ticks")
        self._primary = Input(self.spec.primary, self._checkpoint)
        joined = self.spec.joined
        self._joined = None if joined is None else Input(joined, self._checkpoint)
        self._plan = Plan()
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
        in_runs = self._in_runs and source is self._primary and self._refused is None
        source.offer(entries, in_runs=in_runs)

    def plan(self, limit: int, views: bool = False, hold: bool = False) -> Commit | None:
        """Decide on what can be decided and return the commit, or None if there is nothing.

        ``hold`` keeps back, for a later call to commit, what nobody waits for: entries that were
        decided on and from which nothing followed, as long as they are fewer than ``limit``.

        Where the commit would be larger than one may be there is none: the same is decided again,
        once it has been read again, in smaller parts. An entry whose commit alone would be too
        large becomes a dead letter.

        Raises:
            TooManyDead: most of what was read lately would be stepped over.
        """
        plan, limit = self._plan, min(limit, self._most)
        self._consume(plan, limit)
        self._decide(plan)
        shown = self._views() if views else {}
        if not plan.consumed and not shown:
            return None
        telling = shown or plan.outputs or plan.dead or plan.closed
        if hold and not telling and plan.consumed < limit:
            return None
        self._plan = Plan()
        self._sent = commit = self._commit(plan, shown)
        try:
            check(self.lease, commit.outputs, commit.state, commit.views)
        except TooLarge as large:
            if limit == 1:
                self._refused = (self._primary.taken, f"undecidable: {large}")
            self._most = max(1, min(limit, plan.consumed) // 2)
            self._begin()
            return None
        return commit

    def _commit(self, plan: Plan, shown: dict[str, str]) -> Commit:
        reason = plan.dead[-1].reason if plan.dead else ""
        checkpoint = self._share.take(plan.consumed, len(plan.dead), reason)
        checkpoint["pos"] = str(self._mark)
        rests_on: list[tuple[Topic, str]] = []
        for source in (self._primary, self._joined):
            if source is not None:
                checkpoint[source.topic] = source.taken
                checkpoint[f"n:{source.topic}"] = str(source.count)
                rests_on += source.rests_on()
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
            state=self._step.changes(),
            outputs=entries,
            views=shown,
            rests_on=rests_on,
            incarnation=self.lease.incarnation,
        )

    def settle(self) -> None:
        """The planned commit stands."""
        assert self._sent is not None
        self._seq += 1
        self._most, self._refused = min(2 * self._most, _ANY), None
        self._checkpoint.update(self._sent.checkpoint)
        for name, text in self._sent.state.items():
            if text == "":
                self._saved.pop(name, None)
            else:
                self._saved[name] = text
        self._sent = None

    def _consume(self, plan: Plan, limit: int) -> None:
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

    def _consume_joined(self, plan: Plan, pos: int) -> None:
        while self._joined is not None and (head := self._joined.head) is not None:
            if isinstance(head, Event) and head.pos > pos:
                break
            self._note(plan, self._joined)

    def _note_run(self, plan: Plan, most: int) -> None:
        ids, ticks = self._primary.take_run(most)
        plan.consumed += len(ticks)
        plan.parts.append(Part(self._primary.topic, list(ids), ticks))
        self._mark = ticks.pos[-1]

    def _note(self, plan: Plan, source: Input) -> None:
        event = source.take()
        plan.consumed += 1
        if self._refused is not None and source is self._primary:
            event = self._refuse(event)
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

    def _refuse(self, event: Event | Poison) -> Event | Poison:
        entry, reason = self._refused or ("", "")
        if self._primary.taken != entry or isinstance(event, Poison):
            return event
        return Poison(tuple(map(str, event.wire())), reason)

    def _decide(self, plan: Plan) -> None:
        try:
            for part in plan.parts[plan.decided :]:
                plan.outputs += _seen(self._step, part.events)
        except Exception as error:  # noqa: BLE001 - whatever it is, the event is kept with it
            log.warning("decision_failed", stage=self.spec.name, reason=repr(error))
            plan.outputs = self._decide_around_poison(plan)
        plan.decided = len(plan.parts)

    def _decide_around_poison(self, plan: Plan) -> list[Event]:
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
