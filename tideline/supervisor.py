"""Keeps child processes running, and stops them so that nothing is left."""

import asyncio
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from shared.clock import Clock
from tideline.child import STOP_GRACE_S, Child, Ears, Program
from tideline.trouble import MISUSED, Trouble

BACKOFF_FIRST_S = 0.5
BACKOFF_LAST_S = 30.0
# A child that ran so long was well: what ends it now is a new trouble, not the old one again.
WELL_AFTER_S = 60.0
TRIES_BEFORE_READY = 3

Make = Callable[[], Program]
"""Makes the program anew for each start, because a port that was free may be taken by then."""


def backoff_s(crashes: int) -> float:
    """How long to wait after the n-th crash in a row, the first being 1."""
    # Doubling stops where it cannot matter any more, long before a float overflows.
    return min(BACKOFF_LAST_S, BACKOFF_FIRST_S * 2.0 ** min(crashes - 1, 10))


def ending(code: int) -> str:
    """An exit code in words."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"


@dataclass(slots=True)
class _Kept:
    """One child over all its lives."""

    make: Make
    program: Program
    child: Child | None = None
    keeper: asyncio.Task[None] | None = None
    stopping: bool = False
    was_ready: bool = False
    crashes: int = 0


class Supervisor:
    """Starts programs, starts them again when they crash, and stops them.

    ``failure`` gets the trouble of the first child that cannot be kept running: one that is told
    wrongly what to do (exit code 2), or that crashes again and again before it was ever ready.
    """

    def __init__(
        self, ears: Ears, say: Callable[[str], None], clock: Clock, hurry: asyncio.Event
    ) -> None:
        self._ears = ears
        self._say = say
        self._clock = clock
        self._kept: dict[str, _Kept] = {}
        self._hurry = hurry
        self.failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def keep(self, make: Make) -> None:
        """Start a program and keep it running until it is stopped."""
        program = make()
        kept = _Kept(make, program)
        self._kept[program.name] = kept
        kept.keeper = asyncio.create_task(self._keep(kept), name=f"keep {program.name}")

    def program(self, name: str) -> Program:
        """What runs under a name at the moment."""
        return self._kept[name].program

    def is_running(self, name: str) -> bool:
        """Whether it is alive at the moment."""
        return name in self._kept and self._kept[name].child is not None

    def ready(self, name: str) -> None:
        """It has been seen at work: from now on a crash is not the fault of its settings."""
        self._kept[name].was_ready = True

    async def stop(self, names: Sequence[str]) -> None:
        """Ask these to end, all at once; kill what has not after the grace, or once in a hurry."""
        wanted = [self._kept[name] for name in names if name in self._kept]
        await asyncio.gather(*(self._stop(kept) for kept in wanted))

    async def _stop(self, kept: _Kept) -> None:
        kept.stopping = True
        keeper = kept.keeper
        assert keeper is not None
        if kept.child is None:
            # Between two lives, or about to be born: never let it start.
            keeper.cancel()
            await asyncio.wait({keeper})
        if kept.child is None:
            return
        kept.child.send(signal.SIGTERM)
        hurry = asyncio.create_task(self._hurry.wait())
        await asyncio.wait(
            {keeper, hurry}, timeout=STOP_GRACE_S, return_when=asyncio.FIRST_COMPLETED
        )
        hurry.cancel()
        if not keeper.done():
            self._say(f"{kept.program.name} does not stop, killing it")
            kept.child.send(signal.SIGKILL)
            await asyncio.wait({keeper})

    async def _keep(self, kept: _Kept) -> None:
        try:
            while not kept.stopping:
                await self._live_once(kept)
        except (Trouble, OSError) as error:
            if not self.failure.done():
                self.failure.set_exception(error)

    async def _live_once(self, kept: _Kept) -> None:
        born = self._clock.elapsed()
        child = kept.child = await Child.start(kept.program, self._ears)
        code = await child.wait()
        kept.child = None
        if kept.stopping:
            return
        lived_s = self._clock.elapsed() - born
        kept.crashes = 1 if lived_s >= WELL_AFTER_S else kept.crashes + 1
        self._raise_if_hopeless(kept, code, child.last_line)
        wait_s = backoff_s(kept.crashes)
        self._say(
            f"{kept.program.name} stopped unexpectedly ({ending(code)}); "
            f"starting it again in {wait_s:g} s; its log is {kept.program.log}"
        )
        await asyncio.sleep(wait_s)
        kept.program = kept.make()

    def _raise_if_hopeless(self, kept: _Kept, code: int, last_line: str) -> None:
        name, log = kept.program.name, kept.program.log
        # A service that ends in good order says why in our own manner.
        last_line = last_line.removeprefix("tideline: ")
        was_port_taken = kept.program.port is not None and f"port {kept.program.port} " in last_line
        if code == MISUSED and not was_port_taken:
            raise Trouble(last_line or f"{name} refuses its settings; its log is {log}", MISUSED)
        if not kept.was_ready and kept.crashes >= TRIES_BEFORE_READY:
            reason = last_line or "it said nothing"
            raise Trouble(f"{name} does not start ({ending(code)}): {reason}; its log is {log}")
