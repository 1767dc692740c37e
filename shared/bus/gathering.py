"""Commits of many tasks in one round trip: what is asked for while one is under way goes next."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from shared.bus.log import Commit
from shared.bus.patience import Answer
from shared.bus.tasks import end

Send = Callable[[Sequence[Commit]], Awaitable[Sequence[Answer]]]
_Asked = tuple[Sequence[Commit], "asyncio.Future[Sequence[Answer]]"]


class Gathering:
    """Sends the commits of all tasks together, one round trip at a time.

    A task a partition, each with its own round trip, would cost the processor more than what they
    decide. Whoever gives up waiting leaves nothing to be sent that was not under way already.
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self._asked: list[_Asked] = []
        self._sending: asyncio.Task[None] | None = None

    async def ask(self, commits: Sequence[Commit]) -> Sequence[Answer]:
        """What became of each of them."""
        answer: asyncio.Future[Sequence[Answer]] = asyncio.get_running_loop().create_future()
        self._asked.append((commits, answer))
        if self._sending is None:
            self._sending = asyncio.create_task(self._send_all())
        return await answer

    async def close(self) -> None:
        """End what is under way; whoever still waits for it is cancelled."""
        if self._sending is not None:
            await end([self._sending])
        for _, answer in self._asked:
            answer.cancel()

    async def _send_all(self) -> None:
        try:
            while self._asked:
                asked = [one for one in self._asked if not one[1].done()]
                self._asked = []
                await self._send_together(asked)
        finally:
            self._sending = None

    async def _send_together(self, asked: Sequence[_Asked]) -> None:
        try:
            answers = await self._send([commit for commits, _ in asked for commit in commits])
        except asyncio.CancelledError:
            for _, answer in asked:
                answer.cancel()
            raise
        except Exception as error:  # noqa: BLE001 - raised by each of those who asked
            for _, answer in asked:
                if not answer.done():
                    answer.set_exception(error)
            return
        first = 0
        for commits, answer in asked:
            if not answer.done():
                answer.set_result(answers[first : first + len(commits)])
            first += len(commits)
