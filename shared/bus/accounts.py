"""Each worker's account of its stages, left where whoever looks from outside finds it."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from redis.asyncio import Redis

from shared.bus.keys import Keys
from shared.bus.progress import Progress
from shared.bus.topics import StageName

# Left again every few seconds; a worker that is gone is forgotten.
_TTL_S = 20


@dataclass(frozen=True, slots=True)
class Account:
    """What a stage's workers have done in one partition, each since it was started.

    ``commits`` are by reply, ``gained`` and ``lost`` count lease moves, ``waits`` the closes at
    which it waited for another stage, ``dead`` the dead letters.
    """

    commits: Mapping[str, int] = field(default_factory=dict)
    gained: int = 0
    lost: int = 0
    waits: int = 0
    dead: int = 0

    def __add__(self, other: "Account") -> "Account":
        replies = sorted({*self.commits, *other.commits})
        return Account(
            {one: self.commits.get(one, 0) + other.commits.get(one, 0) for one in replies},
            self.gained + other.gained,
            self.lost + other.lost,
            self.waits + other.waits,
            self.dead + other.dead,
        )


NOTHING = Account()


class Accounts:
    """The accounts of one namespace's live workers.

    Raises:
        RedisError: the server did not answer, or refused.
    """

    def __init__(self, redis: Redis, keys: Keys) -> None:
        self._redis = redis
        self._keys = keys

    async def leave(self, worker: str, progress: Progress) -> None:
        """Leave a worker's account of one stage for a while."""
        told = {str(at): json.dumps(asdict(one)) for at, one in accounts(progress).items()}
        if not told:
            return
        key = self._keys.account(progress.stage, worker)
        pipe: Any = self._redis.pipeline(transaction=True)
        pipe.hset(key, mapping=told)
        pipe.expire(key, _TTL_S)
        await pipe.execute()

    async def read(self, stage: StageName) -> dict[int, Account]:
        """What the stage's live workers tell, by partition."""
        workers = await self._redis.zrange(self._keys.members(stage), 0, -1)
        pipe: Any = self._redis.pipeline(transaction=False)
        for worker in workers:
            pipe.hgetall(self._keys.account(stage, str(worker)))
        found: dict[int, Account] = {}
        for told in await pipe.execute():
            for partition, text in told.items():
                at = int(partition)
                found[at] = found.get(at, NOTHING) + _account(json.loads(text))
        return found


def accounts(progress: Progress) -> dict[int, Account]:
    """A loop's own counters by partition."""
    replies: dict[int, dict[str, int]] = {}
    for (partition, verdict), count in progress.verdicts.items():
        replies.setdefault(partition, {})[verdict] = count
    moved = (partition for partition, _ in progress.moves)
    return {
        partition: Account(
            replies.get(partition, {}),
            progress.moves[partition, "gained"],
            progress.moves[partition, "lost"],
            progress.waits[partition],
            progress.dead[partition],
        )
        for partition in sorted({*replies, *moved, *progress.waits, *progress.dead})
    }


def total(found: Iterable[Account]) -> Account:
    """All of them as one."""
    return sum(found, NOTHING)


def _account(told: Mapping[str, Any]) -> Account:
    """An account as told by a worker of this release or another."""
    known = {one.name for one in fields(Account)}
    return Account(**{name: value for name, value in told.items() if name in known})
