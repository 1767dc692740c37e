"""Waiting out a log that is away: the same question again until it is answered."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import structlog

from shared.bus.log import BusError, Commit, Verdict

log = structlog.get_logger(__name__)

Reply = TypeVar("Reply")

# The first wait is about one commit's own time, the last short enough to see a server come back.
_WAIT_FIRST_S = 0.005
_WAIT_LAST_S = 1.0


class Away(Exception):
    """The log gave no answer, or one that will pass: ask the same thing once more."""


Answer = Verdict | Away | BusError
"""What became of a commit; no verdict yet; or why there never will be one."""


class Waits:
    """Who waits for the log now, since when and why: the ground of readiness."""

    def __init__(self) -> None:
        self._open: dict[object, tuple[float, str]] = {}

    def began(self, who: object, why: str) -> None:
        """Somebody got no answer; from the first time on it counts until ``ended``."""
        since, _ = self._open.get(who, (asyncio.get_running_loop().time(), why))
        self._open[who] = (since, why)

    def ended(self, who: object) -> None:
        """They got one, or gave up."""
        self._open.pop(who, None)

    def longest(self) -> tuple[float, str]:
        """Seconds that the longest of them has waited, and for what; 0 if nobody does."""
        if not self._open:
            return 0.0, ""
        since, why = min(self._open.values())
        return asyncio.get_running_loop().time() - since, why


async def patiently(ask: Callable[[], Awaitable[Reply]], waits: Waits | None = None) -> Reply:
    """Ask until there is an answer; what is asked may be heard more than once."""
    who, seen = object(), Waits() if waits is None else waits
    wait_s = _WAIT_FIRST_S
    try:
        while True:
            try:
                answer = await ask()
            except Away as away:
                if wait_s == _WAIT_FIRST_S:
                    log.warning("log_away", reason=str(away))
                seen.began(who, str(away))
                await asyncio.sleep(wait_s)
                wait_s = min(_WAIT_LAST_S, 2 * wait_s)
                continue
            if wait_s != _WAIT_FIRST_S:
                log.info("log_back")
            return answer
    finally:
        seen.ended(who)


async def commit_patiently(
    commits: Sequence[Commit],
    send: Callable[[Sequence[Commit]], Awaitable[Sequence[Answer]]],
    waits: Waits | None = None,
) -> list[Verdict]:
    """Send commits until each has its verdict; those without one are sent again as they are.

    Raises:
        BusError: one of them was refused for good.
    """
    verdicts: dict[int, Verdict] = {}

    async def ask() -> None:
        left = [i for i in range(len(commits)) if i not in verdicts]
        answers = dict(zip(left, await send([commits[i] for i in left]), strict=True))
        verdicts.update((i, one) for i, one in answers.items() if isinstance(one, str))
        for answer in answers.values():
            if not isinstance(answer, str):
                raise answer

    await patiently(ask, waits)
    return [verdicts[i] for i in range(len(commits))]
