"""The news that watchlists have changed, told to every replica at once.

A message on a Redis channel, which leaves no key. Whoever is not there misses it, and looks every
now and then anyway.
"""

from collections.abc import AsyncIterator

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from shared.bus.keys import Keys

log = structlog.get_logger(__name__)

_LISTEN_S = 2.0


class News:
    """One channel of a namespace."""

    def __init__(self, redis: Redis, keys: Keys) -> None:
        self._redis = redis
        self._channel = f"{keys.namespace}:watchlists"

    async def send(self, body: str) -> None:
        """Tell everybody.

        Raises:
            RedisError: nobody was told.
        """
        await self._redis.publish(self._channel, body)

    async def hear(self) -> AsyncIterator[None]:
        """Whenever listening begins, for what was missed until then, and at every message.

        Ends when the server goes away.
        """
        try:
            async with self._redis.pubsub() as ears:
                await ears.subscribe(self._channel)
                while True:
                    # The server's word that it listens counts as news: the client reconnects by
                    # itself, and what was said in between nobody says again.
                    if await ears.get_message(timeout=_LISTEN_S) is not None:
                        yield
        except (RedisError, OSError) as error:
            log.warning("news_missed", reason=str(error))
