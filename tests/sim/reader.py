"""Somebody outside who follows every topic: no stage, so nothing of its own is rolled back."""

from collections import defaultdict
from collections.abc import Iterator
from random import Random

from shared.bus.lives import Lives
from shared.bus.log import At
from shared.bus.tail import Tail
from shared.events import Event, Watermark
from shared.events.codec import decode
from tests.sim.connection import Connection, Network
from tests.sim.judge import TOPICS
from tests.sim.server import Server

_BLOCK_MS = 200


class _SimulatedLives(Lives):
    """The incarnations as the simulated server tells them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def now(self) -> list[str]:
        return await self._connection.lives()


class Reader:
    """Writes down the id of every event that it is given."""

    def __init__(self, network: Network) -> None:
        chance = Random(f"{network.seed}/reader")
        connection = Connection(network, "sender", chance)
        self._tail = Tail(connection, TOPICS, lives=_SimulatedLives(connection))
        self._given: dict[At, list[str]] = defaultdict(list)

    async def run(self) -> None:
        """Follow until cancelled."""
        while True:
            for topic, partition, _, event in await self._tail.read(_BLOCK_MS):
                if isinstance(event, Event) and not isinstance(event, Watermark):
                    self._given[partition, topic].append(event.id)

    def violations(self, server: Server) -> Iterator[str]:
        """What it was given twice, and what stands in the log and it was not given."""
        for at in sorted(server.archive):
            if at[1] not in TOPICS:
                continue
            given = self._given[at]
            twice = sorted({one for one in given if given.count(one) > 1})
            if twice:
                yield f"a reader was given twice, of {at}: {twice}"
            missing = [one for one in _ids(server, at) if one not in set(given)]
            if missing:
                yield f"a reader was not given, of {at}: {missing}"


def _ids(server: Server, at: At) -> list[str]:
    events = [event for _, event in decode(server.archive[at])]
    return [one.id for one in events if isinstance(one, Event) and not isinstance(one, Watermark)]
