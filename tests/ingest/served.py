"""The routes of ingest over a real log and empty tables."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from pydantic import SecretStr

from services.ingest.api import build_web
from services.ingest.settings import IngestSection, IngestSettings
from shared.bus.redis_log import RedisLog
from shared.clock import Clock
from shared.service.web import Web, public_app


def web(log: RedisLog, clock: Clock, database: dict[str, Any], **section: Any) -> Web:
    """The routes."""
    settings = IngestSettings(
        redis_url=SecretStr("redis://127.0.0.1:1"),  # the log is given
        namespace=log.keys.namespace,
        partitions=log.partitions,
        ingest=IngestSection.model_validate(section),
        **database,
    )
    return build_web(settings, log, clock)


@asynccontextmanager
async def served(made: Web) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the routes while they are open; paths are below ``/api/v1``."""
    transport = httpx.ASGITransport(public_app([made]))
    base = "http://test/api/v1"
    async with made.open(), httpx.AsyncClient(transport=transport, base_url=base) as client:
        yield client
