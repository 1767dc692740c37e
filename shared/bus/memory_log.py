"""The log in memory, for tests: the same rules as the scripts, with time in the test's hand."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count

from shared.bus.lease import LEASE_TTL_MS
from shared.bus.log import FIRST_LIFE, At, Commit, Held, Lease, Reached, Verdict, order
from shared.bus.retention import readers
from shared.bus.topics import StageName, Topic
from shared.events.base import Scalar
from shared.events.codec import RawEntry

Place = tuple[StageName, int]
"""A stage's partition."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What one stage keeps of one partition."""

    owner: str = ""
    expires: int = 0
    epoch: int = 0
    token: str = ""
    checkpoint: Mapping[str, str] = field(default_factory=dict)
    state: Mapping[str, str] = field(default_factory=dict)
    views: Mapping[str, str] = field(default_factory=dict)

    @property
    def seq(self) -> int:
        """How many commits stand."""
        return int(self.checkpoint.get("seq", "0"))


@dataclass(slots=True)
class Stream:
    """A partition's topic: what is kept, how many were ever added, the newest entry's place."""

    entries: list[RawEntry] = field(default_factory=list)
    added: int = 0
    last: tuple[int, int] = (0, 0)


class MemoryLog:
    """All partitions in dictionaries. ``now_ms`` plays the server's clock.

    No call ever waits. Everything is changed in ``_put``, ``_add``, ``_cut`` and ``_reincarnate``.
    """

    def __init__(self, partitions: int, now_ms: Callable[[], int]) -> None:
        self.partitions = partitions
        self._streams: dict[At, Stream] = defaultdict(Stream)
        self._cells: dict[Place, Cell] = defaultdict(Cell)
        self._lives: dict[int, str] = defaultdict(lambda: FIRST_LIFE)
        self._members: dict[StageName, dict[str, int]] = defaultdict(dict)
        self._now_ms = now_ms
        self._serial = count(1)

    async def heartbeat(self, stage: StageName, worker: str, ttl_ms: int) -> list[str]:
        now = self._now_ms()
        members = self._members[stage]
        members[worker] = now + ttl_ms
        for name in [name for name, until in members.items() if until <= now]:
            del members[name]
        return sorted(members)

    async def leave(self, stage: StageName, worker: str) -> None:
        self._members[stage].pop(worker, None)

    async def acquire(
        self, stage: StageName, partition: int, worker: str, ttl_ms: int
    ) -> Lease | Held:
        cell, now = self._cells[stage, partition], self._now_ms()
        if cell.owner not in ("", worker) and cell.expires > now:
            return Held(cell.owner, cell.expires - now)
        epoch = cell.epoch + 1
        token = f"{epoch}:{next(self._serial)}"
        taken = replace(cell, owner=worker, expires=now + ttl_ms, epoch=epoch, token=token)
        self._put((stage, partition), taken)
        lives = self._lives[partition]
        return Lease(stage, partition, token, cell.checkpoint, cell.state, lives)

    async def renew(self, leases: Sequence[Reached], ttl_ms: int) -> list[bool]:
        return [self._prolong(lease, seq, ttl_ms) for lease, seq in leases]

    async def release(self, lease: Lease) -> None:
        place = lease.stage, lease.partition
        cell = self._cells[place]
        if cell.token == lease.token:
            self._put(place, replace(cell, owner="", expires=0, token=""))

    async def read(
        self, offsets: Mapping[At, str], *, count: int, block_ms: int
    ) -> dict[At, list[RawEntry]]:
        found = {}
        for at, offset in offsets.items():
            kept = self._streams[at].entries
            first = bisect_right(kept, order(offset), key=lambda entry: order(entry[0]))
            if entries := kept[first : first + count]:
                found[at] = entries
        return found

    async def commit(self, commits: Sequence[Commit]) -> list[Verdict]:
        return [self._apply(one) for one in commits]

    async def append(self, partition: int, topic: Topic, fields: Sequence[Scalar]) -> str:
        return self._add((partition, topic), fields)

    async def trim(self, topic: Topic, partitions: Sequence[int], keep: int) -> int:
        return sum(self._cut((partition, topic), keep) for partition in partitions)

    def views(self, stage: StageName, partition: int) -> Mapping[str, str]:
        """What the stage last showed."""
        return self._cells[stage, partition].views

    def _apply(self, commit: Commit) -> Verdict:
        verdict = self._judge(commit)
        if verdict == "OK":
            self._write(commit)
        return verdict

    def _judge(self, commit: Commit) -> Verdict:
        cell = self._cells[commit.stage, commit.partition]
        if cell.seq < commit.seq:
            return self._rolled_back(commit)
        if cell.token != commit.token:
            return "FENCED"
        if cell.seq == commit.seq + 1 and cell.checkpoint["txid"] == commit.txid:
            return "DUP"
        if cell.seq != commit.seq or self._lives[commit.partition] != commit.incarnation:
            return "CONFLICT"
        stands = all(self._holds((commit.partition, topic), i) for topic, i in commit.rests_on)
        return "OK" if stands else self._rolled_back(commit)

    def _prolong(self, lease: Lease, seq: int, ttl_ms: int) -> bool:
        place = lease.stage, lease.partition
        cell = self._cells[place]
        if cell.seq < seq:
            self._rolled_back(lease)
            return False
        if cell.token == lease.token:
            self._put(place, replace(cell, expires=self._now_ms() + ttl_ms))
        return cell.token == lease.token

    def _rolled_back(self, witness: Commit | Lease) -> Verdict:
        """Begin a new life of the partition, unless one has begun since the witness' lease."""
        lives, known = self._lives[witness.partition], witness.incarnation
        if lives == known or _number(lives) < _number(known):
            _, _, nonce = witness.token.partition(":")
            self._reincarnate(witness.partition, f"{_number(known) + 1}:{nonce}")
        return "CONFLICT"

    def _holds(self, at: At, entry_id: str) -> bool:
        found = self._streams[at].entries
        index = bisect_left(found, order(entry_id), key=lambda entry: order(entry[0]))
        return index < len(found) and found[index][0] == entry_id

    def _write(self, commit: Commit) -> None:
        place = commit.stage, commit.partition
        cell = self._cells[place]
        for run in commit.outputs:
            for fields in run.entries():
                self._add((commit.partition, run.topic), fields)
        state = {**cell.state, **commit.state}
        named = {"seq": str(commit.seq + 1), "txid": commit.txid}
        changed = replace(
            cell,
            expires=self._now_ms() + LEASE_TTL_MS,
            checkpoint={**cell.checkpoint, **commit.checkpoint, **named},
            state={name: text for name, text in state.items() if text != ""},
            views={**cell.views, **commit.views},
        )
        self._put(place, changed)

    def _put(self, place: Place, cell: Cell) -> None:
        self._cells[place] = cell

    def _reincarnate(self, partition: int, incarnation: str) -> None:
        self._lives[partition] = incarnation

    def _add(self, at: At, fields: Sequence[Scalar]) -> str:
        """Append an entry under an id made as a server makes it: the time, never backwards."""
        stream = self._streams[at]
        last_ms, last = stream.last
        now = self._now_ms()
        stream.last = (now, 0) if now > last_ms else (last_ms, last + 1)
        stream.added += 1
        entry_id = f"{stream.last[0]}-{stream.last[1]}"
        stream.entries.append((entry_id, [_text(value) for value in fields]))
        return entry_id

    def _cut(self, at: At, keep: int) -> int:
        """Trim a partition's topic, but not past a stage that reads it."""
        partition, topic = at
        stream = self._streams[at]
        for stage in readers(topic):
            read = self._cells[stage, partition].checkpoint.get(f"n:{topic}", "0")
            keep = max(keep, stream.added - int(read))
        surplus = max(0, len(stream.entries) - keep)
        del stream.entries[:surplus]
        return surplus


def _number(lives: str) -> int:
    return int(lives.partition(":")[0])


def _text(value: Scalar) -> str:
    return repr(value) if isinstance(value, float) else str(value)
