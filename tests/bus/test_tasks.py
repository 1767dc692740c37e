"""Ending tasks for certain."""

import asyncio

import pytest

from shared.bus.tasks import end


async def slow_to_end(ended: list[str], seconds: float) -> None:
    """Clean up for a while when cancelled, whatever is said meanwhile."""
    try:
        await asyncio.Event().wait()
    finally:
        cleaning = asyncio.create_task(asyncio.sleep(seconds))
        while not cleaning.done():
            try:
                await asyncio.shield(cleaning)
            except asyncio.CancelledError:
                continue
        ended.append("slow")


async def keeper(ended: list[str]) -> None:
    """Own a task, and end it when cancelled."""
    task = asyncio.create_task(slow_to_end(ended, 0.7))
    await asyncio.sleep(0)
    try:
        await asyncio.Event().wait()
    finally:
        await end([task])


async def test_a_task_of_a_task_is_not_left_behind() -> None:
    """An owner that is cancelled again while its own task still cleans up waits for it."""
    ended: list[str] = []
    owner = asyncio.create_task(keeper(ended))
    await asyncio.sleep(0.01)
    await end([owner])
    assert ended == ["slow"]
    assert owner.cancelled()


async def test_a_swallowed_cancel_is_said_again() -> None:
    """A task that goes on after the first cancel is ended by a later one."""

    async def deaf() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.Event().wait()

    task = asyncio.create_task(deaf())
    await asyncio.sleep(0)
    await end([task])
    assert task.cancelled()


async def test_whoever_waits_is_told_that_it_was_cancelled() -> None:
    """The cancel that came meanwhile is not lost."""
    ended: list[str] = []
    task = asyncio.create_task(slow_to_end(ended, 0.3))
    await asyncio.sleep(0)
    waiting = asyncio.create_task(end([task]))
    await asyncio.sleep(0.01)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert ended == ["slow"]
