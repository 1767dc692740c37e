"""Keeps every generated signal in the table, however often the log tells of it."""

import asyncio
from collections.abc import Sequence
from typing import NoReturn

import structlog
from redis.exceptions import RedisError

from services.signals.adapters.signal_store import SignalStore
from shared.bus.lives import Lives
from shared.bus.log import START
from shared.bus.redis_log import RedisLog
from shared.bus.tail import Followed, Tail
from shared.bus.topics import Topic
from shared.events import SignalGenerated
from shared.store.errors import StoreError

log = structlog.get_logger(__name__)

_TOPIC: Topic = "signal_generated"
_BLOCK_MS = 500
_AGAIN_S = 1.0


class WritingDown:
    """Follows the topic from where the table stands.

    Rows and place are committed together, and a signal's id is its key: what is read again after a
    restart or a failover writes nothing twice. Several replicas may do the same work.
    """

    def __init__(self, log_: RedisLog, store: SignalStore) -> None:
        self._log = log_
        self._store = store

    async def run(self) -> NoReturn:
        """Follow until cancelled; tables that are away are waited for."""
        while True:
            try:
                tail = await self.start()
                while True:
                    await self.write(tail, await tail.read(_BLOCK_MS))
            except (StoreError, RedisError, OSError) as error:
                log.warning("signals_not_written_down", reason=str(error))
                await asyncio.sleep(_AGAIN_S)

    async def write(self, tail: Tail, batch: Sequence[Followed]) -> None:
        """Write a batch down, with where the tail is after it.

        Raises:
            StoreError: the tables cannot be used; nothing is written.
        """
        if not batch:
            return
        signals = [event for *_, event in batch if isinstance(event, SignalGenerated)]
        lives = tail.incarnations or [""] * self._log.partitions
        places = {
            partition: (tail.offsets[partition, _TOPIC], lives[partition])
            for partition in {partition for _, partition, *_ in batch}
        }
        await self._store.write(signals, places)

    async def start(self) -> Tail:
        """A tail from where the table stands.

        Raises:
            StoreError: the tables cannot be used.
        """
        places = await self._store.places()
        offsets = {
            (partition, _TOPIC): places.get(partition, (START, ""))[0]
            for partition in range(self._log.partitions)
        }
        lives = Lives(self._log.redis, self._log.keys)
        now = await lives.now()
        known = [places.get(n, (START, life))[1] for n, life in enumerate(now)]
        return Tail(self._log, [_TOPIC], offsets, lives, known)
