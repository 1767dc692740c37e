"""The log in memory, for tests: the same rules as the scripts, with time in the test's hand."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

from shared.bus.lease import LEASE_TTL_MS
from shared.bus.log import START, At, Commit, Held, Lease, Verdict
from shared.bus.topics import StageName, Topic
from shared.events.base import Scalar
from shared.events.codec import RawEntry


@dataclass(slots=True)
class _Cell:
    """What one stage keeps of one partition."""

    owner: str = ""
    expires: int = 0
    epoch: int = 0
    token: str = ""
    checkpoint: dict[str, str] = field(default_factory=dict)
    state: dict[str, str] = field(default_factory=dict)
    views: dict[str, str] = field(default_factory=dict)


class MemoryLog:
    """All partitions in dictionaries. ``now_ms`` plays the server's clock."""

    def __init__(self, partitions: int, now_ms: Callable[[], int]) -> None:
        self.partitions = partitions
        self.streams: dict[At, list[RawEntry]] = defaultdict(list)
        self._cells: dict[tuple[StageName, int], _Cell] = defaultdict(_Cell)
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
        cell.owner, cell.expires, cell.epoch = worker, now + ttl_ms, cell.epoch + 1
        cell.token = f"{cell.epoch}:{next(self._serial)}"
        return Lease(stage, partition, cell.token, dict(cell.checkpoint), dict(cell.state))

    async def renew(self, leases: Sequence[Lease], ttl_ms: int) -> list[bool]:
        kept = []
        for lease in leases:
            cell = self._cells[lease.stage, lease.partition]
            kept.append(cell.token == lease.token)
            if kept[-1]:
                cell.expires = self._now_ms() + ttl_ms
        return kept

    async def release(self, lease: Lease) -> None:
        cell = self._cells[lease.stage, lease.partition]
        if cell.token == lease.token:
            cell.owner, cell.expires, cell.token = "", 0, ""

    async def read(
        self, offsets: Mapping[At, str], *, count: int, block_ms: int
    ) -> dict[At, list[RawEntry]]:
        found = {}
        for at, offset in offsets.items():
            first = _serial(offset)
            if entries := self.streams[at][first : first + count]:
                found[at] = entries
        return found

    async def commit(self, commits: Sequence[Commit]) -> list[Verdict]:
        return [self._apply(one) for one in commits]

    async def append(self, partition: int, topic: Topic, fields: Sequence[Scalar]) -> str:
        stream = self.streams[partition, topic]
        stream.append((f"{len(stream) + 1}-0", [str(field) for field in fields]))
        return stream[-1][0]

    def views(self, stage: StageName, partition: int) -> dict[str, str]:
        """What the stage last showed."""
        return self._cells[stage, partition].views

    def _apply(self, commit: Commit) -> Verdict:
        cell = self._cells[commit.stage, commit.partition]
        if cell.token != commit.token:
            return "FENCED"
        seq = int(cell.checkpoint.get("seq", "0"))
        if seq == commit.seq + 1 and cell.checkpoint.get("txid") == commit.txid:
            return "DUP"
        if seq != commit.seq:
            return "CONFLICT"
        for output in commit.outputs:
            stream = self.streams[commit.partition, output.topic]
            stream.append((f"{len(stream) + 1}-0", [_text(value) for value in output.fields]))
        for name, text in commit.state.items():
            if text == "":
                cell.state.pop(name, None)
            else:
                cell.state[name] = text
        cell.views.update(commit.views)
        cell.checkpoint.update(commit.checkpoint, seq=str(commit.seq + 1), txid=commit.txid)
        cell.expires = self._now_ms() + LEASE_TTL_MS
        return "OK"


def _serial(offset: str) -> int:
    return 0 if offset == START else int(offset.split("-")[0])


def _text(value: Scalar) -> str:
    return repr(value) if isinstance(value, float) else str(value)
