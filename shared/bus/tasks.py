"""Ending tasks for certain."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

# Long enough for a task to close its connections, short enough not to hold up a stop.
_PATIENCE_S = 0.2


async def end(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel tasks again and again until each is done, even if whoever waits is cancelled too.

    One cancel is not enough: redis-py 8.1 can swallow it while it waits for a reply, and the task
    then goes on as if nothing had been said. A task left behind would open connections anew when
    everything has been closed.
    """
    left = set(tasks)
    cancelled: asyncio.CancelledError | None = None
    while left:
        for task in left:
            task.cancel()
        try:
            await asyncio.wait(left, timeout=_PATIENCE_S)
        except asyncio.CancelledError as error:
            cancelled = error
        left = {task for task in left if not task.done()}
    if cancelled is not None:
        raise cancelled


async def outlast(task: asyncio.Task[Any], patience_s: float) -> None:
    """Wait for a task for so long at most, however often whoever waits is told to stop meanwhile.

    For whoever was told already, and has to raise that again.
    """
    now = asyncio.get_running_loop().time
    until = now() + patience_s
    while not task.done() and (left_s := until - now()) > 0:
        with suppress(asyncio.CancelledError):
            await asyncio.wait([task], timeout=left_s)
