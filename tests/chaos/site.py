"""Where a run takes place: a server, workers of the real stages, and a proxy before each."""

import asyncio
from pathlib import Path

from shared.bus.keys import Keys
from shared.bus.redis_reads import RedisReads
from shared.bus.topics import TOPICS
from tests.chaos.proxy import Ends, Proxy
from tests.chaos.recording import Recording
from tests.chaos.server import Server
from tests.chaos.worker import Worker

PARTITIONS = 3
KEYS = Keys("chaos", PARTITIONS)
# The feed, the joined stage and the sender are held by two each; what lies between by one.
CREW = ("ingest", "ingest", "indicators", "signals", "signals", "notifier", "notifier")


class Site:
    """The processes of one run. ``server`` is the one that everybody is led to now."""

    def __init__(self, folder: Path, recording: Recording) -> None:
        self.folder = folder
        self.server = Server(folder, "one")
        self.replica: Server | None = None
        self.stream: Proxy | None = None
        self.proxies = [Proxy(self._dial) for _ in CREW]
        self._reader_proxy = Proxy(self._dial)
        self.workers = [
            Worker(service, f"{service}-{i}", self._environment(i, recording), folder)
            for i, service in enumerate(CREW)
        ]
        self.locks = [asyncio.Lock() for _ in CREW]
        self.server_lock = asyncio.Lock()
        self._away = False

    async def open(self, *, with_replica: bool) -> None:
        """Start everything."""
        await self.server.start()
        if with_replica:
            self.replica = Server(self.folder, "two")
            self.stream = await self.replica.follow(self.server)
        for i, proxy in enumerate(self.proxies):
            await proxy.listen(self._socket(i))
        await self._reader_proxy.listen(self.reader_door)
        self.start_all()

    async def close(self) -> None:
        """Leave nothing running."""
        for worker in self.workers:
            worker.kill()
        for proxy in (*self.proxies, self._reader_proxy, *([self.stream] if self.stream else [])):
            await proxy.close()
        for server in (self.server, self.replica):
            if server is not None:
                await server.close()

    def start_all(self) -> None:
        """Start the workers that do not run."""
        for worker in self.workers:
            worker.start()

    def shut(self) -> None:
        """Let nobody reach a server, and hang up on everybody."""
        self._away = True
        for proxy in (*self.proxies, self._reader_proxy):
            proxy.cut()

    def reopen(self) -> None:
        """Let everybody reach the server again."""
        self._away = False

    @property
    def reader_door(self) -> Path:
        """Where readers that are no stage come in."""
        return self.folder / "reader.sock"

    @property
    def reads(self) -> RedisReads:
        """The log, not through a proxy."""
        return RedisReads(self.server.client, KEYS)

    async def entries(self) -> int:
        """How many entries were ever added to all topics."""
        reads = self.reads
        return sum([size.added for topic in TOPICS for size in await reads.sizes(topic)])

    async def _dial(self) -> Ends:
        if self._away:
            raise ConnectionRefusedError
        return await self.server.dial()

    def _socket(self, number: int) -> Path:
        return self.folder / f"{number}.sock"

    def _environment(self, number: int, recording: Recording) -> dict[str, str]:
        return {
            "REDIS_URL": f"unix://{self._socket(number)}",
            "LOG_LEVEL": "info",
            "TIDELINE_NAMESPACE": KEYS.namespace,
            "TIDELINE_PARTITIONS": str(KEYS.partitions),
            "TIDELINE_INTERNAL_PORT": "0",
            "TIDELINE_PUBLIC_PORT": "0",
            "TIDELINE_DATA_DIR": str(self.folder / "tables"),
            "TIDELINE_INGEST__FEED": "file",
            "TIDELINE_INGEST__FILE": str(recording.path),
            "TIDELINE_INGEST__SPEED": f"{recording.speed:.0f}",
            "TIDELINE_NOTIFIER__CONSOLE__FORMAT": "json",
        }
