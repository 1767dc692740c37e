"""What a server's errors mean: it will be well again, or it refuses us."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from redis.exceptions import (
    BusyLoadingError,
    ClusterDownError,
    MasterDownError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    TryAgainError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from shared.bus.log import BusError
from shared.bus.patience import Away, Waits, patiently

Answer = TypeVar("Answer")

_PASSING = (
    OSError,
    RedisConnectionError,
    RedisTimeoutError,
    BusyLoadingError,
    ReadOnlyError,
    OutOfMemoryError,
    ClusterDownError,
    MasterDownError,
    TryAgainError,
    # Restarted between being taught a script and being asked to run it: it is taught again.
    NoScriptError,
)
_PASSING_PREFIXES = ("BUSY", "MISCONF", "NOREPLICAS", "LOADING", "UNBLOCKED")


def meaning(error: Exception, what: str) -> Away | BusError:
    """The error in the log's own words: one to wait out, or one that names what was refused."""
    if isinstance(error, _PASSING) or str(error).startswith(_PASSING_PREFIXES):
        return Away(f"{what}: {error}")
    return BusError(f"the server refused {what}: {error}")


async def wait_out(
    ask: Callable[[], Awaitable[Answer]], what: str, waits: Waits | None = None
) -> Answer:
    """Ask a server until it answers.

    Raises:
        BusError: it refuses us for good.
    """

    async def once() -> Answer:
        try:
            return await ask()
        except (RedisError, OSError) as error:
            raise meaning(error, what) from error

    return await patiently(once, waits)
