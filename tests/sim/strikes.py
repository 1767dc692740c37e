"""How each kind of fault strikes, other than those that wait for a commit."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from shared.bus.topics import STAGE_INPUTS, TOPICS, StageName, Topic
from tests.sim.connection import Network, at_once
from tests.sim.faults import COMMIT_KINDS, Fault, Kind
from tests.sim.market import Market
from tests.sim.process import Process
from tests.sim.stages import BAD_FOR_CANDLES, BAD_FOR_LEVELS, BAD_FOR_SIGNALS

# Entries that a trim leaves: few enough that there is always something to cut.
_KEEP = 5
_ODD_PRICES: dict[StageName, float] = {
    "feed": BAD_FOR_SIGNALS,
    "candles": BAD_FOR_CANDLES,
    "indicators": BAD_FOR_LEVELS,
    "signals": BAD_FOR_SIGNALS,
}
_FOREIGN = (
    ["greeting", "hello"],
    ["type", "tick", "v", "1", "symbol", "S0"],
    ["type", "nonsense", "v", "1", "symbol", "S0", "at", "1", "pos", "1"],
)

Recruit = Callable[[StageName], Process]
"""Makes one more process for a stage."""


class Strikes:
    """Lets faults happen to a server, a market and processes."""

    def __init__(
        self, network: Network, market: Market, processes: list[Process], recruit: Recruit
    ) -> None:
        self._network = network
        self._server = network.server
        self._market = market
        self._processes = processes
        self._recruit = recruit
        self._loop = asyncio.get_running_loop()
        self._strikes: dict[Kind, Callable[[Fault], Awaitable[bool]]] = {
            "clock_jump": self._clock_jump,
            "late_topic": self._late_topic,
            "member_joins": self._member_joins,
            "member_leaves": self._member_leaves,
            "poison_undecidable": self._poison_undecidable,
            "poison_undecodable": self._poison_undecodable,
            "rollback": self._rollback,
            "server_away": self._server_away,
            "stage_down": self._stage_down,
            "trim": self._trim,
        }

    async def run(self, faults: Sequence[Fault]) -> None:
        """Wait for each fault's time and let it happen; counts those that changed something."""
        strikes: list[asyncio.Task[None]] = []
        for fault in faults:
            await asyncio.sleep(max(0.0, fault.at - self._loop.time()))
            strikes.append(asyncio.create_task(self._strike(fault)))
        for strike in strikes:
            await strike

    async def _strike(self, fault: Fault) -> None:
        if fault.kind in COMMIT_KINDS:
            self._network.armed.append(fault)
        elif await self._strikes[fault.kind](fault):
            self._network.happened[fault.kind] += 1

    async def _clock_jump(self, fault: Fault) -> bool:
        self._server.jumped_ms += round(fault.seconds * 1_000)
        return True

    async def _late_topic(self, fault: Fault) -> bool:
        topics = _inputs(fault.stage)
        at = fault.stage, topics[fault.partition % len(topics)]
        self._network.late[at] = self._loop.time() + fault.seconds
        return True

    async def _member_joins(self, fault: Fault) -> bool:
        process = self._recruit(fault.stage)
        process.start()
        await asyncio.sleep(fault.seconds)
        await process.stop()
        return True

    async def _member_leaves(self, fault: Fault) -> bool:
        process = next(one for one in self._processes if one.stage == fault.stage)
        left = process.runs
        await process.stop()
        await asyncio.sleep(fault.seconds)
        process.start()
        return left

    async def _poison_undecidable(self, fault: Fault) -> bool:
        self._market.odd_prices[fault.partition % self._server.partitions].append(
            _ODD_PRICES[fault.stage]
        )
        return False  # counted where it has been struggled with

    async def _poison_undecodable(self, fault: Fault) -> bool:
        topics: tuple[Topic, ...] = ("inbox", "tick", "candle_closed", "level_computed")
        topic = _inputs(fault.stage)[-1]
        assert topic in topics
        fields = _FOREIGN[round(fault.at * 1_000) % len(_FOREIGN)]
        at_once(self._server.append(fault.partition % self._server.partitions, topic, fields))
        return True

    async def _rollback(self, fault: Fault) -> bool:
        """The partition's server is replaced by a lagging replica, or everybody's is."""
        everybody = fault.stage == "feed"
        partitions = (
            range(self._server.partitions)
            if everybody
            else [fault.partition % self._server.partitions]
        )
        return self._network.fail_over(partitions, fault.seconds) > 0

    async def _server_away(self, fault: Fault) -> bool:
        self._network.away_until = self._loop.time() + fault.seconds
        return True

    async def _stage_down(self, fault: Fault) -> bool:
        for process in self._processes:
            if process.stage == fault.stage:
                process.crash(fault.seconds)
        return True

    async def _trim(self, fault: Fault) -> bool:
        everywhere = range(self._server.partitions)
        return sum(at_once(self._server.trim(topic, everywhere, _KEEP)) for topic in TOPICS) > 0


def _inputs(stage: StageName) -> tuple[Topic, ...]:
    """What a stage reads here: nobody pushes prices into a simulated market."""
    return tuple(topic for topic in STAGE_INPUTS[stage] if topic != "pushed")
