"""Ctrl-C, SIGTERM and a closed terminal: the first asks to stop, the second to hurry."""

import asyncio
import signal
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(Exception):
    """Somebody stopped what has no end of its own."""


@dataclass(frozen=True, slots=True)
class Interrupts:
    """What the person at the keyboard, or the system, has asked for so far."""

    stop: asyncio.Event = field(default_factory=asyncio.Event)
    hurry: asyncio.Event = field(default_factory=asyncio.Event)

    def ask(self) -> None:
        """Stop; asked again, hurry."""
        (self.hurry if self.stop.is_set() else self.stop).set()


@contextmanager
def interrupts() -> Iterator[Interrupts]:
    """Turn signals into events for the time of the block."""
    asked = Interrupts()
    loop = asyncio.get_running_loop()
    # nohup has SIGHUP ignored, and means it.
    ignored = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    heard = [one for one in _SIGNALS if one is not signal.SIGHUP or not ignored]
    for number in heard:
        loop.add_signal_handler(number, asked.ask)
    try:
        yield asked
    finally:
        for number in heard:
            loop.remove_signal_handler(number)


async def interruptible(work: Coroutine[Any, Any, None]) -> None:
    """Do the work until it is done or somebody has had enough.

    asyncio's own way with Ctrl-C does not do: a cancellation out of a signal handler gets lost in
    a time-out of zero, and the Redis client has one in every command.

    Raises:
        Interrupted: somebody has had enough.
    """
    never: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    with interrupts() as asked:
        await until(asked.stop, work, never)
        if asked.stop.is_set():
            raise Interrupted


async def until(
    event: asyncio.Event, work: Coroutine[Any, Any, T], failure: asyncio.Future[None]
) -> T | None:
    """Do the work; give it up and return None when the event is set first.

    Raises whatever the work or ``failure`` raises, whichever is first.
    """
    doing = asyncio.ensure_future(work)
    waiting = asyncio.ensure_future(event.wait())
    await asyncio.wait({doing, waiting, failure}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if doing.done():
        return doing.result()
    doing.cancel()
    await asyncio.wait({doing})
    if failure.done():
        failure.result()
    return None
