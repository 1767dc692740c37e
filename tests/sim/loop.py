"""An event loop whose time is a number: nothing ever sleeps, and every run is the same run."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


class _Leap(selectors.SelectSelector):
    """Waits for nothing: the time simply is what was waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise RuntimeError("everybody waits for somebody else, for ever")
        self.now += max(0.0, timeout)
        return []


class SimulatedLoop(asyncio.SelectorEventLoop):
    """Runs callbacks in the order of their times; equal times in the order they were asked for."""

    def __init__(self) -> None:
        self._leap = _Leap()
        super().__init__(self._leap)

    def time(self) -> float:
        """Seconds since the loop was made."""
        return self._leap.now


class LoopClock:
    """The simulated time as a worker's clock."""

    # Any day will do; a year like this one makes printed times readable.
    _START = 1_760_000_000_000_000

    def now(self) -> int:
        return self._START + round(self.elapsed() * 1_000_000)

    def elapsed(self) -> float:
        return asyncio.get_running_loop().time()


def simulate(main: Coroutine[Any, Any, Result]) -> Result:
    """Run to the end on a loop of its own."""
    loop = SimulatedLoop()
    try:
        return loop.run_until_complete(main)
    finally:
        loop.close()
