"""What the recorder is to the log: a registered reader, waited for; and whom it asks for states."""

from collections.abc import Mapping, Sequence

from redis.asyncio import Redis

from shared.archive.states import Saved
from shared.bus.connection import execute
from shared.bus.keys import Keys
from shared.bus.readers import Readers
from shared.bus.redis_reads import RedisReads
from shared.bus.topics import STAGES, TOPICS

READER = "recorder"
# Farther behind than this the number of entries read is not counted.
_COUNTED_MAX = 1_000


class RecorderRedis:
    """The recorder's own questions and words to a namespace's server.

    Raises:
        RedisError: the server did not answer, or refused.
    """

    def __init__(self, redis: Redis, keys: Keys) -> None:
        self._redis = redis
        self._keys = keys
        self._reads = RedisReads(redis, keys)

    async def register(self) -> None:
        """Be waited for from now on, in every topic and partition."""
        for topic in TOPICS:
            await Readers(self._redis, self._keys).add(READER, topic)

    async def show(self, partition: int, ends: Mapping[str, str]) -> None:
        """Say how far a partition is recorded: what comes after is kept, within its bounds."""
        for topic in TOPICS:
            if topic in ends:
                await self._set(self._keys.topic(partition, topic), ends[topic])

    async def written(self, partitions: Sequence[int]) -> dict[int, int]:
        """Entries ever written to the spine of these partitions."""
        sizes = await self._reads.sizes("tick")
        return {partition: sizes[partition].added for partition in partitions}

    async def states(self, partition: int) -> Saved:
        """What every stage has committed, at one moment."""
        pipe = self._redis.pipeline(transaction=True)
        for stage in STAGES:
            pipe.hgetall(self._keys.checkpoint(partition, stage))
            pipe.hgetall(self._keys.state(partition, stage))
        found = await pipe.execute()
        return dict(zip(STAGES, zip(found[::2], found[1::2], strict=True), strict=True))

    async def _set(self, stream: str, entry: str) -> None:
        pipe = self._redis.pipeline(transaction=True)
        pipe.xinfo_stream(stream)
        pipe.execute_command("XRANGE", stream, f"({entry}", "+", "COUNT", _COUNTED_MAX)
        facts, later = await pipe.execute()
        command: list[str | int] = ["XGROUP", "SETID", stream, READER, entry]
        if len(later) < _COUNTED_MAX:
            command += ["ENTRIESREAD", int(facts["entries-added"]) - len(later)]
        await execute(self._redis, *command)
