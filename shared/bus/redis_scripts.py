"""The server-side scripts, loaded from their files and run by digest."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import NoScriptError, RedisError

from shared.events.base import Scalar

Call = tuple[Sequence[str], Sequence[Scalar]]
"""Keys and arguments of one run."""


@dataclass(frozen=True, slots=True)
class Script:
    """One Lua script."""

    text: str
    digest: str

    @classmethod
    def load(cls, *names: str) -> "Script":
        """Read ``shared/bus/scripts/<name>.lua``, after those that it builds on."""
        folder = files("shared.bus").joinpath("scripts")
        text = "".join(folder.joinpath(f"{name}.lua").read_text("utf-8") for name in names)
        return cls(text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())

    async def run_all(self, redis: Redis, calls: Sequence[Call]) -> list[object]:
        """Run once per call, in one round trip; a call's error stands in its place.

        A server that does not know the script (restarted, failed over) is taught it, and the calls
        it refused are run again.
        """
        replies = await self._send(redis, calls)
        missing = [i for i, reply in enumerate(replies) if isinstance(reply, NoScriptError)]
        if missing:
            await redis.script_load(self.text)
            again = await self._send(redis, [calls[i] for i in missing])
            for i, reply in zip(missing, again, strict=True):
                replies[i] = reply
        return replies

    async def replies(self, redis: Redis, calls: Sequence[Call]) -> list[Any]:
        """Run once per call, in one round trip.

        Raises:
            RedisError: what the server answered to one of them.
        """
        replies = await self.run_all(redis, calls)
        for reply in replies:
            if isinstance(reply, RedisError):
                raise reply
        return replies

    async def run(self, redis: Redis, keys: Sequence[str], args: Sequence[Scalar]) -> Any:
        """Run once.

        Raises:
            RedisError: what the server answered.
        """
        return (await self.replies(redis, [(keys, args)]))[0]

    async def _send(self, redis: Redis, calls: Sequence[Call]) -> list[object]:
        pipe = redis.pipeline(transaction=False)
        for keys, args in calls:
            pipe.execute_command("EVALSHA", self.digest, len(keys), *keys, *args)
        return list(await pipe.execute(raise_on_error=False))
