"""The log on Redis Streams: one module owns every key and script."""

from collections.abc import Mapping, Sequence

from redis.asyncio import Redis
from redis.exceptions import RedisError

from shared.bus.connection import connect, execute
from shared.bus.gathering import Gathering
from shared.bus.keys import Keys
from shared.bus.lease import LEASE_TTL_MS
from shared.bus.log import At, Commit, Held, Lease, Reached, Verdict
from shared.bus.outputs import Outputs
from shared.bus.patience import Answer, Waits, commit_patiently
from shared.bus.redis_errors import meaning, wait_out
from shared.bus.redis_scripts import Call, Script
from shared.bus.topics import StageName, Topic
from shared.bus.trimming import Trimmer
from shared.clock import nonce
from shared.events.base import Scalar
from shared.events.codec import RawEntry
from shared.events.control import ConfigRequested


class RedisLog:
    """A namespace's log on one Redis or Valkey server.

    Blocking reads have their own connection, so that they never delay a commit. ``waits`` knows
    what is being asked again because the server is away.
    """

    def __init__(self, url: str, keys: Keys) -> None:
        self.keys = keys
        self.partitions = keys.partitions
        self.waits = Waits()
        self.redis: Redis = connect(url)
        self._reader: Redis = connect(url)
        self._commit = Script.load("commit")
        self._acquire = Script.load("acquire")
        self._renew = Script.load("renew")
        self._heartbeat = Script.load("heartbeat")
        self._trimmer = Trimmer(self.redis, keys)
        self._together = Gathering(self._send)

    async def close(self) -> None:
        """Close all connections, once what is under way is answered."""
        await self._together.close()
        await self._reader.aclose()
        await self.redis.aclose()

    async def heartbeat(self, stage: StageName, worker: str, ttl_ms: int) -> list[str]:
        reply = await wait_out(
            lambda: self._heartbeat.run(self.redis, [self.keys.members(stage)], [worker, ttl_ms]),
            f"a heartbeat of stage {stage}",
            self.waits,
        )
        return sorted(_texts(reply))

    async def leave(self, stage: StageName, worker: str) -> None:
        await self.heartbeat(stage, worker, 0)

    async def acquire(
        self, stage: StageName, partition: int, worker: str, ttl_ms: int
    ) -> Lease | Held:
        lease, checkpoint, state, _ = self._stage_keys(stage, partition)
        keys = [lease, checkpoint, state, self.keys.incarnation(partition)]
        reply = await wait_out(
            lambda: self._acquire.run(self.redis, keys, [worker, nonce(), ttl_ms]),
            f"the lease of stage {stage}, partition {partition}",
            self.waits,
        )
        assert isinstance(reply, list)
        if reply[0] == "HELD":
            return Held(owner=reply[1], left_ms=int(reply[2]))
        _, token, flat_checkpoint, flat_state, incarnation = reply
        return Lease(
            stage, partition, token, _pairs(flat_checkpoint), _pairs(flat_state), incarnation
        )

    async def renew(self, leases: Sequence[Reached], ttl_ms: int) -> list[bool]:
        calls = [self._renewal(lease, seq, ttl_ms) for lease, seq in leases]
        replies = await wait_out(
            lambda: self._renew.replies(self.redis, calls), "the renewal of leases", self.waits
        )
        return [reply == 1 for reply in replies]

    async def release(self, lease: Lease) -> None:
        await self.renew([(lease, 0)], 0)

    async def read(
        self, offsets: Mapping[At, str], *, count: int, block_ms: int
    ) -> dict[At, list[RawEntry]]:
        if not offsets:
            return {}
        names = {self.keys.topic(*at): at for at in offsets}
        wait: list[Scalar] = ["BLOCK", block_ms] if block_ms > 0 else []
        reply = await wait_out(
            lambda: execute(
                self._reader, "XREAD", "COUNT", count, *wait, "STREAMS", *names, *offsets.values()
            ),
            "a read",
            self.waits,
        )
        return {names[name]: entries for name, entries in reply or ()}

    async def commit(self, commits: Sequence[Commit]) -> list[Verdict]:
        return await commit_patiently(commits, self._together.ask, self.waits)

    async def append(self, partition: int, topic: Topic, fields: Sequence[Scalar]) -> str:
        entry_id = await execute(
            self.redis, "XADD", self.keys.topic(partition, topic), "*", *fields
        )
        return str(entry_id)

    async def trim(self, topic: Topic, partitions: Sequence[int], keep: int) -> int:
        return await self._trimmer.cut(topic, partitions, keep)

    async def request_config(self, request: ConfigRequested) -> None:
        """Ask the writer of every partition's spine for a ``config`` entry."""
        fields = request.wire()
        pipe = self.redis.pipeline(transaction=False)
        for partition in range(self.partitions):
            pipe.execute_command("XADD", self.keys.topic(partition, "inbox"), "*", *fields)
        await pipe.execute()

    async def _send(self, commits: Sequence[Commit]) -> list[Answer]:
        replies: Sequence[object]
        try:
            replies = await self._commit.run_all(self.redis, [self._call(one) for one in commits])
        except (RedisError, OSError) as error:
            replies = [error] * len(commits)
        return [_answer(reply, one) for reply, one in zip(replies, commits, strict=True)]

    def _call(self, commit: Commit) -> Call:
        streams: dict[Topic, int] = {}
        args: list[Scalar] = [
            commit.token, commit.seq, commit.txid, LEASE_TTL_MS, commit.incarnation
        ]  # fmt: skip
        kept = {name: text for name, text in commit.state.items() if text != ""}
        for mapping in (commit.checkpoint, kept, commit.views):
            args.append(len(mapping))
            for pair in mapping.items():
                args += pair
        gone = [name for name, text in commit.state.items() if text == ""]
        args += (len(gone), *gone)
        args.append(len(commit.rests_on))
        for topic, entry_id in commit.rests_on:
            args += (streams.setdefault(topic, len(streams) + 1), entry_id)
        args += _entries(commit.outputs, streams)
        keys = self._stage_keys(commit.stage, commit.partition)
        keys.append(self.keys.incarnation(commit.partition))
        return keys + [self.keys.topic(commit.partition, topic) for topic in streams], args

    def _renewal(self, lease: Lease, seq: int, ttl_ms: int) -> Call:
        keys = [
            self.keys.lease(lease.partition, lease.stage),
            self.keys.checkpoint(lease.partition, lease.stage),
            self.keys.incarnation(lease.partition),
        ]
        return keys, [lease.token, ttl_ms, seq, lease.incarnation]

    def _stage_keys(self, stage: StageName, partition: int) -> list[str]:
        return [
            self.keys.lease(partition, stage),
            self.keys.checkpoint(partition, stage),
            self.keys.state(partition, stage),
            self.keys.view(partition, stage),
        ]


def _entries(outputs: Sequence[Outputs], streams: dict[Topic, int]) -> list[Scalar]:
    """Shapes of entries, each told once, and then the runs: which shape, how many, their values.

    ``streams`` numbers the topics; new ones are added.
    """
    shapes: dict[tuple[Topic, tuple[Scalar, ...], tuple[str, ...]], int] = {}
    runs: list[Scalar] = [len(outputs)]
    for run in outputs:
        shape = (run.topic, run.head, run.names)
        runs += (shapes.setdefault(shape, len(shapes) + 1), len(run))
        runs += run.values
    told: list[Scalar] = [len(shapes)]
    for topic, head, names in shapes:
        stream = streams.setdefault(topic, len(streams) + 1)
        told += (stream, len(head), *head, len(names), *names)
    return told + runs


def _answer(reply: object, commit: Commit) -> Answer:
    if isinstance(reply, Exception):
        return meaning(reply, f"a commit of stage {commit.stage}, partition {commit.partition}")
    assert isinstance(reply, list)
    verdict: Verdict = reply[0]
    return verdict


def _texts(reply: object) -> list[str]:
    assert isinstance(reply, list)
    return [str(item) for item in reply]


def _pairs(flat: Sequence[str]) -> dict[str, str]:
    return dict(zip(flat[::2], flat[1::2], strict=True))
