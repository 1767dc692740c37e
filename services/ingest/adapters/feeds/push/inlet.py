"""The way in: accepted prices go to the streams of their partitions, each once."""

from collections import defaultdict
from dataclasses import dataclass

from redis.asyncio import Redis

from services.ingest.adapters.feeds.push.parse import Batch
from shared.bus.keys import Keys
from shared.bus.once import OnceAppender, Sent
from shared.bus.partitions import partition_of


@dataclass(frozen=True, slots=True)
class Taken:
    """How many of a batch's prices were new, and how many had been given before."""

    accepted: int
    duplicate: int


class Inlet:
    """Takes batches for the feed, whichever process that runs in."""

    def __init__(self, redis: Redis, keys: Keys, room: int | None = None) -> None:
        self._partitions = keys.partitions
        self._appender = OnceAppender(redis, keys, "pushed", room)

    async def take(self, batch: Batch) -> Taken:
        """Write a batch's prices down. What was written is not lost and not written again.

        Raises:
            Full: the feed is too far behind; the same batch can be sent again.
            RedisError: the log is away; the same batch can be sent again.
        """
        sent: dict[int, list[Sent]] = defaultdict(list)
        for one in batch.given:
            partition = partition_of(one.event.symbol, self._partitions)
            sent[partition].append(Sent(one.identity, one.event.wire()))
        news = await self._appender.append(sent)
        accepted = sum(sum(new) for new in news.values())
        return Taken(accepted, len(batch.given) - accepted)
