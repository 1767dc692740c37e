"""A service from start to stop: server, log, stages, health and documents around its own parts."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import replace
from typing import Any

import structlog
from faststream.redis.prometheus import RedisPrometheusMiddleware
from redis.asyncio import Redis
from redis.exceptions import RedisError

from shared.bus.backpressure import Backpressure
from shared.bus.connection import check_namespace, complaint, execute, masked, server_facts
from shared.bus.consumer import LogBroker
from shared.bus.log import BusError
from shared.bus.progress import Progress
from shared.bus.redis_log import RedisLog
from shared.bus.redis_reads import RedisReads
from shared.bus.retention import OPS_KEPT
from shared.bus.session import Session, SessionWorker
from shared.bus.stage_worker import StageWorker
from shared.bus.step import StageSpec
from shared.bus.tasks import end
from shared.bus.topics import StageName, Topic
from shared.clock import Clock, SystemClock
from shared.events.ops import Ops, OpsKind
from shared.health import AWAY_ALARM_S, WAIT_ALARM_S, complaints
from shared.service import documents
from shared.service.internal import internal_app
from shared.service.server import Server, bind
from shared.service.settings import ServiceSettings
from shared.service.upkeep import Upkeep
from shared.telemetry.metrics import MetricName, Row, registry, stage_metrics

log = structlog.get_logger(__name__)

Background = Callable[[], Coroutine[Any, Any, None]]
_RETRY_S = 0.5
_WATCH_S = 1.0
_STOP_S = 5.0
_DETAIL_MAX = 400


class Service:
    """One bounded context's process. ``build_app`` adds its parts, then ``run`` does the rest.

    Raises:
        SettingsError: a port is taken.
    """

    def __init__(self, name: str, settings: ServiceSettings, clock: Clock | None = None) -> None:
        self.name = name
        self.settings = settings
        self.clock: Clock = SystemClock() if clock is None else clock
        self.keys = settings.keys
        self._url = settings.redis_url.get_secret_value()
        self.log = RedisLog(self._url, self.keys)
        self.redis: Redis = self.log.redis
        self.reads = RedisReads(self.redis, self.keys)
        self.upkeep = Upkeep(self.log, settings.worker, self.announce)
        self.metrics = registry(self._measured, self.upkeep.metrics)
        self.broker = LogBroker(
            self._url,
            self.keys,
            middlewares=[RedisPrometheusMiddleware(registry=self.metrics, app_name=name)],
        )
        self._backgrounds: dict[str, Background] = {
            "watch": self._watch,
            "upkeep": self.upkeep.run,
        }
        self._public: Any = None
        self._open_public: Callable[[], AbstractAsyncContextManager[None]] = nullcontext
        self._conditions: list[Callable[[], str | None]] = []
        self._stopping = asyncio.Event()
        self._waits_because: str | None = f"waits for Redis at {masked(self._url)}"

    def add_stage(self, spec: StageSpec) -> StageWorker:
        """Drive a pure stage over this worker's share of the partitions."""
        pressure = self.pressure(spec.output)
        spec = replace(spec, dead_share=self.settings.dead_letter_share)
        worker = StageWorker(self.log, spec, self.settings.worker, self.clock, pressure)
        self.upkeep.workers.append(worker)
        return worker

    def add_partition_task(
        self, stage: StageName, run: Callable[[Session], Awaitable[None]]
    ) -> None:
        """Run a task for each partition that this worker owns of a stage touching the outside."""
        worker = SessionWorker(self.log, stage, run, worker=self.settings.worker, clock=self.clock)
        worker.dead_share = self.settings.dead_letter_share
        self.upkeep.workers.append(worker)

    def pressure(self, topic: Topic) -> Backpressure:
        """What a writer of a topic asks before it writes on: are our stages near enough?"""
        return self.upkeep.pressure(topic)

    def add_background(self, name: str, run: Background) -> None:
        """Run something beside the stages, once the log is there.

        Raises:
            ValueError: something of that name runs already.
        """
        if name in self._backgrounds:
            raise ValueError(f"service {self.name} has a background task {name!r} already")
        self._backgrounds[name] = run

    def add_condition(self, complaint: Callable[[], str | None]) -> None:
        """Be ready only while this has no complaint."""
        self._conditions.append(complaint)

    def mount_public(
        self, app: Any, opened: Callable[[], AbstractAsyncContextManager[None]] = nullcontext
    ) -> None:
        """Serve an ASGI application on the public port, for as long as ``opened`` is entered."""
        self._public, self._open_public = app, opened

    def stop(self) -> None:
        """End ``run`` in good order."""
        self._stopping.set()

    async def announce(self, kind: OpsKind, detail: str, symbol: str = "*") -> None:
        """Tell operators; a log that is away loses the announcement but nothing else."""
        event = Ops(
            symbol=symbol,
            at=self.clock.now(),
            pos=0,
            service=self.name,
            worker=self.settings.worker,
            kind=kind,
            detail=detail[:_DETAIL_MAX],
        )
        try:
            await execute(
                self.redis, "XADD", self.keys.ops(), "MAXLEN", "~", OPS_KEPT, "*", *event.wire()
            )
        except RedisError as error:
            log.warning("announcement_lost", kind=kind, detail=detail, reason=str(error))

    async def run(self) -> None:
        """Serve until SIGINT, SIGTERM or ``stop``.

        Raises:
            BusError: the server cannot carry the log.
            SettingsError: a port is taken.
        """
        async with self._open_public(), self._servers():
            try:
                if await self._found_log():
                    await self._serve()
            finally:
                await self.log.close()

    async def _serve(self) -> None:
        try:
            await self.broker.start()
            self._waits_because = None
            await self.announce("server_start", f"{self.name} started")
            await self._work()
        finally:
            await self.announce("server_stop", f"{self.name} stopped")
            await self.broker.stop()

    def not_ready(self) -> list[str]:
        """Why the service is not ready; empty if it is."""
        if self._stopping.is_set():
            return [f"{self.name} is stopping"]
        if self._waits_because is not None:
            return [self._waits_because]
        loops = complaints(self._progress(), self.clock.elapsed())
        own = [why for complaint in self._conditions if (why := complaint()) is not None]
        return [*loops, *self._waits(), *self.upkeep.complaints(), *self.broker.stalled(), *own]

    def document(self) -> documents.Document:
        """The AsyncAPI document of what the service writes and reads."""
        stages = [worker.progress.stage for worker in self.upkeep.workers]
        reads = dict.fromkeys([*documents.read(stages), *self.broker.topics])
        return documents.document(self.name, self.keys, documents.written(stages), reads)

    def _progress(self) -> list[Progress]:
        return [worker.progress for worker in self.upkeep.workers]

    def _waits(self) -> list[str]:
        seconds, why = self.log.waits.longest()
        return [f"waits for Redis for {seconds:.0f} s: {why}"] if seconds > AWAY_ALARM_S else []

    def _measured(self) -> Iterator[tuple[MetricName, Iterable[Row]]]:
        yield from stage_metrics(self._progress(), self.clock.elapsed())
        yield "tideline_log_away_seconds", [((), self.log.waits.longest()[0])]

    async def _found_log(self) -> bool:
        """Wait for the log; False if told to stop first."""
        waiting = asyncio.create_task(self._await_log(), name="log")
        stopping = asyncio.create_task(self._stopping.wait(), name="stop")
        await asyncio.wait([waiting, stopping], return_when=asyncio.FIRST_COMPLETED)
        found = waiting.done()
        await end([waiting, stopping])
        if found:
            waiting.result()
        return found

    async def _await_log(self) -> None:
        while (problem := await self._log_problem()) is not None:
            if problem != self._waits_because:
                log.warning("waiting_for_redis", reason=problem)
                self._waits_because = problem
            await asyncio.sleep(_RETRY_S)

    async def _log_problem(self) -> str | None:
        """Why the log cannot be used yet, or None.

        Raises:
            BusError: it never will be.
        """
        try:
            facts = await server_facts(self.redis, self._url)
        except BusError as error:
            return str(error)
        wrong = complaint(facts)
        if wrong is not None and complaint(replace(facts, role="master")) is None:
            return wrong  # a failover makes a master of a replica, or gives its address to one
        if wrong is not None:
            raise BusError(wrong)
        try:
            await check_namespace(self.redis, self.keys)
        except RedisError as error:
            return f"Redis at {masked(self._url)} does not answer as it should: {error}"
        return None

    async def _work(self) -> None:
        runs: dict[str, Background] = {
            f"stage {worker.progress.stage}": worker.run for worker in self.upkeep.workers
        }
        runs |= self._backgrounds
        tasks = [asyncio.create_task(run(), name=name) for name, run in runs.items()]
        stopping = asyncio.create_task(self._stopping.wait(), name="stop")
        done, _ = await asyncio.wait([*tasks, stopping], return_when=asyncio.FIRST_COMPLETED)
        for worker in self.upkeep.workers:
            worker.stop()
        stages = tasks[: len(self.upkeep.workers)]
        if stages:
            await asyncio.wait(stages, timeout=_STOP_S)
        await end([*tasks, stopping])
        for task in done - {stopping}:
            task.result()

    async def _watch(self) -> None:
        alarmed: set[str] = set()
        while True:
            await asyncio.sleep(_WATCH_S)
            now = self.clock.elapsed()
            waiting = {
                f"stage {progress.stage} has waited over {WAIT_ALARM_S:.0f} s"
                for progress in self._progress()
                if progress.longest_wait(now) > WAIT_ALARM_S
            }
            waiting |= {f"holds back {what}" for what in self.upkeep.stuck_topics()}
            for told in sorted(waiting - alarmed):
                await self.announce("stage_waiting", told)
            alarmed = waiting

    @contextlib.asynccontextmanager
    async def _servers(self) -> AsyncIterator[None]:
        settings = self.settings
        internal: Any = internal_app(self.broker, self.not_ready, self.metrics, self.document)
        apps = [(internal, settings.internal_host, settings.internal_port, "INTERNAL")]
        if self._public is not None:
            apps.append((self._public, settings.public_host, settings.public_port, "PUBLIC"))
        sockets = [bind(host, port, f"TIDELINE_{name}_PORT") for _, host, port, name in apps]
        servers = [Server(app, sockets=app is self._public) for app, *_ in apps]
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.stop)
        tasks = [
            asyncio.create_task(server.serve(sockets=[taken]))
            for server, taken in zip(servers, sockets, strict=True)
        ]
        for task in tasks:
            # One that ends before it is told to has failed, and nobody would be answered.
            task.add_done_callback(lambda _: self.stop())
        try:
            yield
        finally:
            for server in servers:
                server.stop()
            await asyncio.gather(*tasks)
