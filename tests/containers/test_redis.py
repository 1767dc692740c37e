"""The log's own suite on Redis 7 in a container, which testcontainers starts and removes."""

import os
from collections.abc import AsyncIterator, Iterator

import pytest
import redis

from shared.bus.keys import Keys
from shared.bus.log import Log
from shared.bus.redis_log import RedisLog
from tests.bus.test_log import *  # noqa: F403 the same tests, collected here once more
from tests.containers.engine import MARKS, PREFIX, eventually
from tests.containers.images import REDIS
from tests.integration.test_real_input import (  # noqa: F401 likewise
    test_days_of_ticks_equal_the_oracle_and_other_peoples_numbers,
)

pytestmark = MARKS

_PORT = 6379


@pytest.fixture(scope="module")
def server_url(engine: None) -> Iterator[str]:
    """Redis 7 as people deploy it, in place of the embedded server."""
    # Its clean-up helper is an image of its own, and the block below cleans up.
    os.environ["TESTCONTAINERS_RYUK_DISABLED"] = "true"
    from testcontainers.core.container import DockerContainer

    # Not its RedisContainer: that one's look whether Redis answers leaves a connection open.
    label = {"com.docker.compose.project": f"{PREFIX}{os.getpid()}-redis"}
    with DockerContainer(REDIS, labels=label).with_exposed_ports(_PORT) as server:
        url = f"redis://{server.get_container_host_ip()}:{server.get_exposed_port(_PORT)}/0"
        eventually(lambda: _answers(url), "Redis in the container answers")
        yield url


def _answers(url: str) -> bool:
    with redis.Redis.from_url(url) as client:
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False


@pytest.fixture
async def any_log(server_url: str, keys: Keys) -> AsyncIterator[Log]:
    """The log on that server."""
    log = RedisLog(server_url, keys)
    yield log
    await log.close()
