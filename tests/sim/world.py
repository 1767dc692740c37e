"""One run: a market, a chain of stages, a server, workers, and what goes wrong with them."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from shared.bus.log import Log
from shared.bus.session import SessionWorker
from shared.bus.stage_worker import Pace, StageWorker
from shared.bus.step import StageSpec
from shared.bus.tasks import end
from shared.bus.topics import STAGE_INPUTS, StageName
from tests.sim.connection import Network, at_once
from tests.sim.faults import KINDS, PARTITIONS_MAX, STAGES, Fault, Kind, draw_faults
from tests.sim.house import CHAIN as REAL
from tests.sim.house import draw_house_market
from tests.sim.judge import Judge
from tests.sim.loop import LoopClock, simulate
from tests.sim.market import CURSOR, Feed, Market, ask, draw_market
from tests.sim.process import Process, Worker
from tests.sim.reader import Reader
from tests.sim.server import Server
from tests.sim.stages import CHAIN as TOYS
from tests.sim.strikes import Strikes

# Faults come while the market is open and a little longer; then everything heals and has so long
# to finish.
MARKET_S = 11.0
SECONDS = 13.0
_HEAL_S = 60.0
_LOOK_S = 0.25
# Several beats after a last entry: whoever could still do harm has had the time to.
_REST_S = 2.0


DrawMarket = Callable[[Random, int, float], Market]
"""Makes so many partitions' market, which lasts so many seconds."""


@dataclass(frozen=True, slots=True)
class Build:
    """What a run is made of; mutants bring parts of their own."""

    chain: Sequence[StageSpec] = TOYS
    draw_market: DrawMarket = draw_market
    server: type[Server] = Server
    stage_worker: type[StageWorker] = StageWorker
    session_worker: type[SessionWorker] = SessionWorker


HOUSE = Build(chain=REAL, draw_market=draw_house_market)
"""The real services' stages in place of the toys."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run: ``digest`` stands for all that was written."""

    violations: list[str]
    compared: Counter[str]
    happened: Counter[Kind]
    digest: str


def schedule(seed: str, kinds: Sequence[Kind] = KINDS) -> list[Fault]:
    """The faults that belong to a seed."""
    return draw_faults(Random(f"{seed}/faults"), SECONDS, kinds)


def run(seed: str, faults: Sequence[Fault], build: Build | None = None) -> Outcome:
    """Simulate a seed's market and workers under a schedule."""

    async def main() -> Outcome:
        return await World(seed, Build() if build is None else build).run(faults)

    return simulate(main())


class World:
    """Everything of one run."""

    def __init__(self, seed: str, build: Build) -> None:
        chance = Random(f"{seed}/world")
        partitions = chance.randint(1, PARTITIONS_MAX)
        self._build = build
        self._loop = asyncio.get_running_loop()
        self._clock = LoopClock()
        self._server = build.server(partitions)
        self._network = Network(self._server, seed)
        self._market = build.draw_market(chance, partitions, MARKET_S)
        self._feed = Feed(self._market, self._clock, Random(f"{seed}/feed"))
        self._pace = Pace(
            batch=chance.randint(1, 9), ahead=chance.randint(3, 30), block_ms=200, views_s=2.0
        )
        self._reader = Reader(self._network)
        self._processes: list[Process] = []
        for stage in STAGES:
            for _ in range(chance.randint(1, 2)):
                self._recruit(stage)
        self._troubles: list[str] = []
        self._loop.set_exception_handler(lambda loop, context: None)
        self._plan_requests(chance)

    async def run(self, faults: Sequence[Fault]) -> Outcome:
        """From the first tick to the judgement."""
        reading = asyncio.create_task(self._reader.run())
        for process in self._processes:
            process.start()
        strikes = Strikes(self._network, self._market, self._processes, self._recruit)
        await strikes.run(faults)
        await asyncio.sleep(max(0.0, SECONDS - self._loop.time()))
        await self._heal()
        await asyncio.gather(*(process.stop() for process in self._processes))
        await end([reading])
        return self._outcome()

    def _recruit(self, stage: StageName) -> Process:
        spec = next((one for one in self._build.chain if one.name == stage), None)

        def build(log: Log, name: str) -> Worker:
            if spec is None:
                return self._build.session_worker(
                    log, stage, self._feed.run, worker=name, clock=self._clock
                )
            worker = self._build.stage_worker(log, spec, name, self._clock)
            worker.pace = self._pace
            return worker

        process = Process(self._network, stage, f"{stage}-{len(self._processes)}", build)
        self._processes.append(process)
        return process

    def _plan_requests(self, chance: Random) -> None:
        for partition in range(self._server.partitions):
            for number in range(chance.randint(0, 4)):
                at = chance.uniform(0.0, MARKET_S)
                self._loop.call_at(at, self._request, partition, f"{partition}.{number}")

    def _request(self, partition: int, version: str) -> None:
        at_once(ask(self._server, partition, version))

    async def _heal(self) -> None:
        self._network.armed.clear()
        self._network.late.clear()
        self._network.away_until = 0.0
        for process in self._processes:
            process.wake()
            process.start()
        deadline = self._loop.time() + _HEAL_S
        while not self._is_done():
            if self._loop.time() > deadline:
                self._troubles.append("not done a minute after everything was well again")
                return
            await asyncio.sleep(_LOOK_S)
        await asyncio.sleep(max(_REST_S, self._network.last_arrival - self._loop.time()))
        if not self._is_done():
            self._troubles.append("there was more to do after everything had been done")

    def _is_done(self) -> bool:
        return all(self._is_read(partition) for partition in range(self._server.partitions))

    def _is_read(self, partition: int) -> bool:
        feed = self._server.cell("feed", partition)
        if int(feed.state.get(CURSOR, "0")) < len(self._market.entries[partition]):
            return False
        for stage, topic in ((name, read) for name in STAGES for read in STAGE_INPUTS[name]):
            entries = self._server.archive[partition, topic]
            read = self._server.cell(stage, partition).checkpoint.get(topic)
            if entries and read != entries[-1][0]:
                return False
        return True

    def _outcome(self) -> Outcome:
        judge = Judge(self._server, self._market, self._build.chain)
        violations = self._troubles + [one for p in self._processes for one in p.troubles]
        violations += judge.violations()
        if not self._network.happened["trim"]:  # which spares no reader outside
            violations += self._reader.violations(self._server)
        if self._network.conflicts and not self._network.rolled_back:
            violations.append("a commit was refused as out of turn, and nothing was rolled back")
        happened = Counter(self._network.happened)
        happened["poison_undecidable"] += judge.undecided
        return Outcome(violations, judge.compared, happened, judge.digest())
