"""A service's HTTP routes: served alone on its own port, or with all others' in one process.

Routes may use the log, tables and settings, never the memory of a stage that runs: the process
that answers need not be the one that decides.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.middleware.gzip import GZipMiddleware

from shared.service.frame import Service
from shared.service.headers import AnswerHeaders
from shared.service.problems import documented, tell_problems

_SMALLEST_ZIPPED = 1_000
_ZIP_LEVEL = 5


def _nothing(_: FastAPI) -> None:
    return


@dataclass(frozen=True, slots=True)
class Web:
    """What one service serves to the public.

    ``open`` holds what the routes need while they are served (a database engine, a client): it is
    entered before the first request and left after the last. It must not wait for anybody.
    ``mount`` adds what no router can carry, such as files.
    """

    router: APIRouter
    open: Callable[[], AbstractAsyncContextManager[None]] = nullcontext
    mount: Callable[[FastAPI], None] = _nothing


def serve(service: Service, webs: Sequence[Web]) -> None:
    """Let a service serve these on its public port."""
    service.mount_public(public_app(webs), lambda: _opened(webs))


def public_app(webs: Sequence[Web]) -> Any:
    """One ASGI application of all routes; every error is a problem document."""
    app = FastAPI(
        title="Tideline",
        version="1",
        summary="Watchlists, candles, levels, rules, signals and alerts",
        description="All times are microseconds since 1970, UTC. Not financial advice.",
        docs_url=None,
        redoc_url=None,
        responses=documented({422: "something in the request is missing or malformed"}),
    )
    tell_problems(app)
    for web in webs:
        app.include_router(web.router)
    for web in webs:
        web.mount(app)
    return AnswerHeaders(
        GZipMiddleware(app, minimum_size=_SMALLEST_ZIPPED, compresslevel=_ZIP_LEVEL)
    )


@asynccontextmanager
async def _opened(webs: Sequence[Web]) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        for web in webs:
            await stack.enter_async_context(web.open())
        yield
