"""Many tasks' commits in one round trip."""

import asyncio
from collections.abc import Sequence

import pytest

from shared.bus.gathering import Gathering
from shared.bus.log import BusError, Commit
from shared.bus.patience import Answer, Away


def commit(seq: int) -> Commit:
    """A commit that carries nothing but its number."""
    return Commit("feed", seq, token="1:x", seq=seq, txid=f"1:x/{seq}", checkpoint={})


class Server:
    """Answers when it is let; knows what came together."""

    def __init__(self) -> None:
        self.heard: list[list[int]] = []
        self.asked = asyncio.Event()
        self.open = asyncio.Event()

    async def send(self, commits: Sequence[Commit]) -> list[Answer]:
        self.heard.append([one.seq for one in commits])
        self.asked.set()
        await self.open.wait()
        return [Away("odd") if one.seq % 2 else "OK" for one in commits]


async def test_what_is_asked_while_one_is_under_way_goes_together() -> None:
    """The first goes alone, the next three at once; each task gets its own answers."""
    server = Server()
    together = Gathering(server.send)
    first = asyncio.create_task(together.ask([commit(0)]))
    await server.asked.wait()
    rest = [asyncio.create_task(together.ask([commit(2), commit(n)])) for n in (4, 5)]
    await asyncio.sleep(0)
    server.open.set()
    assert list(await first) == ["OK"]
    assert list(await rest[0]) == ["OK", "OK"]
    told = await rest[1]
    assert told[0] == "OK"
    assert isinstance(told[1], Away)
    assert server.heard == [[0], [2, 4, 2, 5]]


async def test_what_nobody_waits_for_any_more_is_not_sent() -> None:
    """A task that is cancelled before its commit went out takes it back."""
    server = Server()
    together = Gathering(server.send)
    first = asyncio.create_task(together.ask([commit(0)]))
    await server.asked.wait()
    second = asyncio.create_task(together.ask([commit(2)]))
    third = asyncio.create_task(together.ask([commit(4)]))
    await asyncio.sleep(0)
    second.cancel()
    server.open.set()
    await asyncio.wait([first, second, third])
    assert server.heard == [[0], [4]]


async def test_an_error_of_the_sending_is_raised_by_everybody() -> None:
    """Nobody is left waiting."""

    async def send(commits: Sequence[Commit]) -> list[Answer]:
        raise BusError("no server")

    together = Gathering(send)
    asked = [asyncio.create_task(together.ask([commit(n)])) for n in range(3)]
    await asyncio.wait(asked)
    for one in asked:
        with pytest.raises(BusError, match="no server"):
            one.result()


async def test_closing_leaves_nobody_waiting() -> None:
    """A commit under way and one behind it are both given up."""
    server = Server()
    together = Gathering(server.send)
    asked = [asyncio.create_task(together.ask([commit(0)]))]
    await server.asked.wait()
    asked.append(asyncio.create_task(together.ask([commit(2)])))
    await asyncio.sleep(0)
    await together.close()
    await asyncio.wait(asked)
    assert all(one.cancelled() for one in asked)
