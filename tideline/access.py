"""Which log a looking command looks at: the given server's, or that of a launcher at work here."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from shared.bus.keys import Keys
from shared.bus.redis_log import RedisLog
from tideline.installed import know_events
from tideline.rundir import running
from tideline.server import connected, inspected
from tideline.settings import LauncherSettings
from tideline.trouble import Trouble


@dataclass(frozen=True, slots=True)
class Access:
    """A server's address and a namespace on it."""

    url: str
    keys: Keys


def access(settings: LauncherSettings) -> Access:
    """Find the log: REDIS_URL always wins, else it is the launcher that was started last.

    Raises:
        Trouble: there is neither.
    """
    given = settings.given_redis_url
    if given is not None:
        return Access(given, settings.keys)
    here = running(settings.launcher.run_dir)
    if not here:
        raise Trouble(
            "no tideline is running here; start one with `tideline demo` or `tideline up`, "
            "or set REDIS_URL"
        )
    namespace = settings.namespace if settings.has_own_namespace else here[-1].namespace
    return Access(here[-1].redis_url, Keys(namespace, settings.partitions))


@asynccontextmanager
async def opened(where: Access) -> AsyncIterator[RedisLog]:
    """The log, after a look whether its server is there.

    Raises:
        Trouble: the address is none.
        BusError: the server cannot be reached.
    """
    know_events()
    await connected(where.url).aclose()
    await inspected(where.url)
    log = RedisLog(where.url, where.keys)
    try:
        yield log
    finally:
        await log.close()
