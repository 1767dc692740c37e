"""One connection to TWS for all that is asked of it, made when it is needed."""

import asyncio
import contextlib
from collections import deque

import structlog
from redis.exceptions import RedisError

from services.ingest.adapters.feeds.ibkr.heard import Gone, Heard
from services.ingest.adapters.feeds.ibkr.ids import LEASE_MS, ClientIds
from services.ingest.adapters.feeds.ibkr.wire import IdTaken, Lost, Tws
from services.ingest.domain.asking import ProviderFault
from services.ingest.sections import IbkrSection

log = structlog.get_logger(__name__)

# A second of a busy market; whoever is further behind hears that and begins anew.
_HEARD_MAX = 100_000


class Link:
    """The connection, and what was heard on it. ``woken`` is set whenever there is more."""

    def __init__(self, section: IbkrSection, ids: ClientIds) -> None:
        self.heard: deque[Heard] = deque(maxlen=_HEARD_MAX)
        self.woken = asyncio.Event()
        self.connected = 0
        self._section = section
        self._ids = ids
        self._tws: Tws | None = None
        self._turn = asyncio.Lock()
        self._keeping: asyncio.Task[None] | None = None

    @property
    def malformed(self) -> int:
        """How many messages of this connection could not be read."""
        return 0 if self._tws is None else self._tws.malformed

    def is_current(self, tws: Tws) -> bool:
        """Whether this is the connection still, and not one that was made after it."""
        return self._tws is tws

    async def open(self) -> Tws:
        """The connection; made if there is none.

        Raises:
            ProviderFault: it cannot be made.
        """
        async with self._turn:
            if self._tws is None or not self._tws.is_open:
                await self._close()
                self._tws = await self._connect()
            return self._tws

    async def close(self) -> None:
        """Disconnect and give the client id back."""
        async with self._turn:
            await self._close()

    async def _connect(self) -> Tws:
        tried: set[int] = set()
        while (number := await self._number(frozenset(tried))) is not None:
            tws = Tws(self._hear, self._section.timeout_s)
            try:
                await tws.open(self._section.host, self._section.port, number)
            except IdTaken:
                # Somebody who asks nobody has it: a program of another kind.
                log.warning("client_id_taken", provider="ibkr", client_id=number)
                tried.add(number)
                await self._give_back()
                continue
            except Lost as error:
                await self._give_back()
                raise ProviderFault("connection", str(error)) from None
            self._keeping = asyncio.create_task(self._keep(tws))
            self.connected += 1
            if self._section.market_data == "delayed":
                tws.delayed()
            log.info("tws_connected", client_id=number)
            return tws
        first, last = self._section.client_ids
        told = f"all client ids from {first} to {last} are taken"
        raise ProviderFault("connection", f"{told}; widen TIDELINE_INGEST__IBKR__CLIENT_IDS")

    async def _number(self, tried: frozenset[int]) -> int | None:
        try:
            return await self._ids.take(tried)
        except (RedisError, OSError) as error:
            raise ProviderFault("connection", f"no client id: the log is away: {error}") from None

    async def _give_back(self) -> None:
        # What cannot be given back now is free once its lease has run out.
        with contextlib.suppress(RedisError, OSError):
            await self._ids.give_back()

    async def _close(self) -> None:
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.wait([self._keeping])
            self._keeping = None
        if self._tws is not None:
            await self._tws.close()
            self._tws = None
            await self._give_back()
        self.heard.clear()

    async def _keep(self, tws: Tws) -> None:
        """Renew the lease of the client id; who has lost it hears that the connection is gone."""
        while True:
            await asyncio.sleep(LEASE_MS / 4_000)
            try:
                kept = await self._ids.renew()
            except (RedisError, OSError):
                continue  # TWS itself takes a number once only
            if not kept:
                self._hear(Gone("another replica has the client id"))
                return

    def _hear(self, heard: Heard) -> None:
        if len(self.heard) == _HEARD_MAX:
            self.heard.clear()
            heard = Gone("prices came faster than they were taken")
        self.heard.append(heard)
        self.woken.set()
