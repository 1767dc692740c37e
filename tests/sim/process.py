"""One worker of one stage as a process: started, stopped, killed, and started again."""

import asyncio
from collections.abc import Callable
from itertools import count
from random import Random
from typing import Protocol

from shared.bus.log import Log
from shared.bus.topics import StageName
from tests.sim.connection import Connection, Cut, Network

# A worker that was told to stop and has not by then never will.
_STOP_S = 60.0


class Worker(Protocol):
    """What StageWorker and SessionWorker have in common."""

    def stop(self) -> None: ...

    async def run(self) -> None: ...


Build = Callable[[Log, str], Worker]
"""Makes a worker from its connection and its name."""


class Process:
    """A name under which one life of a worker follows the other."""

    def __init__(self, network: Network, stage: StageName, name: str, build: Build) -> None:
        self.stage = stage
        self.name = name
        self.troubles: list[str] = []
        self._network = network
        self._build = build
        self._lives = count(1)
        self._connection: Connection | None = None
        self._worker: Worker | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def runs(self) -> bool:
        """Whether it is alive, paused or not."""
        if self._task is None or self._connection is None:
            return False
        return not (self._connection.cut or self._task.done())

    def start(self) -> None:
        """Begin a new life, unless there is one."""
        if self.runs:
            return
        chance = Random(f"{self._network.seed}/{self.name}/{next(self._lives)}")
        self._connection = Connection(self._network, self.stage, chance)
        self._connection.crash = self.crash
        self._worker = self._build(self._connection, self.name)
        self._task = asyncio.create_task(self._live(self._worker, self._connection))

    def crash(self, seconds: float) -> None:
        """Die at once, and come back after a while."""
        if self._connection is not None and self._task is not None:
            self._connection.cut = True
            self._task.cancel()
        asyncio.get_running_loop().call_later(seconds, self.start)

    async def stop(self) -> None:
        """End in good order."""
        if self._worker is None or self._task is None:
            return
        self._worker.stop()
        await asyncio.wait([self._task], timeout=_STOP_S)
        if not self._task.done():
            self.troubles.append(f"{self.name} was told to stop and did not")
            self.crash(_STOP_S)

    def wake(self) -> None:
        """End a pause."""
        if self._connection is not None:
            self._connection.paused_until = 0.0

    async def _live(self, worker: Worker, connection: Connection) -> None:
        try:
            await worker.run()
        except (Cut, asyncio.CancelledError):
            if not connection.cut:
                raise
        except Exception as error:  # noqa: BLE001 - whatever it is, a worker must not die of it
            self.troubles.append(f"{self.name} died: {error!r}")
