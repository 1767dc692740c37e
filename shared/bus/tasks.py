"""Ending tasks for certain."""

import asyncio
from collections.abc import Iterable
from typing import Any

# Long enough for a task to close its connections, short enough not to hold up a stop.
_PATIENCE_S = 0.2


async def end(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel tasks again and again until each is done.

    One cancel is not enough: redis-py 8.1 can swallow it while it waits for a reply, and the task
    then goes on as if nothing had been said.
    """
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=_PATIENCE_S)
