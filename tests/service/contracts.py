"""Holding routes against their own OpenAPI document, with requests that are made up."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from typing import Any

import schemathesis
import uvicorn
from hypothesis import HealthCheck, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import positive_data_acceptance

from shared.bus.keys import Keys
from shared.bus.redis_log import RedisLog
from shared.service.web import Web, public_app
from tests.ports import free_port

EXAMPLES = 15
PATIENCE_S = 60.0
# What no schema can say: which symbols there are.
NOT_ASKED: list[Any] = [positive_data_acceptance]


@contextmanager
def serving(
    server_url: str, keys: Keys, made: Callable[[RedisLog], Sequence[Web]]
) -> Iterator[str]:
    """Routes on a real server in a thread of its own; its address."""
    port = free_port()
    stop = threading.Event()
    ready = threading.Event()

    async def run() -> None:
        log = RedisLog(server_url, keys)
        webs = made(log)
        config = uvicorn.Config(
            public_app(webs),
            port=port,
            log_level="critical",
            lifespan="off",
            # Or a machine that stands still makes it hang up on the next question.
            timeout_keep_alive=round(PATIENCE_S),
        )
        server = uvicorn.Server(config)
        async with AsyncExitStack() as stack:
            for web in webs:
                await stack.enter_async_context(web.open())
            task = asyncio.create_task(server.serve())
            while not server.started:  # noqa: ASYNC110 uvicorn has no event
                await asyncio.sleep(0.01)
            ready.set()
            while not stop.is_set():  # noqa: ASYNC110 it is another thread's
                await asyncio.sleep(0.05)
            server.should_exit = True
            await task
        await log.close()

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    try:
        assert ready.wait(PATIENCE_S)
        yield f"http://127.0.0.1:{port}"
    finally:
        stop.set()
        thread.join(PATIENCE_S)


def assert_keeps_its_word(address: str, mode: GenerationMode) -> None:
    """Every route answers in the promised form, refuses what is wrong, and never breaks."""
    schema = schemathesis.openapi.from_url(f"{address}/openapi.json", timeout=PATIENCE_S)
    for found in schema.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()
        if mode is GenerationMode.NEGATIVE and not _takes_anything(operation):
            continue

        @settings(
            max_examples=EXAMPLES,
            derandomize=True,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(operation.as_strategy(generation_mode=mode))
        def ask(case: Case[Any]) -> None:
            case.call_and_validate(excluded_checks=NOT_ASKED, timeout=PATIENCE_S)

        ask()


def _takes_anything(operation: Any) -> bool:
    """Whether there is something in a request that could be wrong."""
    raw = operation.definition.raw
    return bool(raw.get("parameters")) or "requestBody" in raw
