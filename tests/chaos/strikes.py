"""Lets faults happen to a site, and counts those that hit something."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

from tests.chaos.faults import Fault, Kind
from tests.chaos.proxy import Proxy
from tests.chaos.site import Site


class Strikes:
    """One schedule. ``happened`` counts by kind, ``lost`` the entries that failovers took back."""

    def __init__(self, site: Site) -> None:
        self.happened: Counter[Kind] = Counter()
        self.lost = 0
        self._site = site
        self._strikes: dict[Kind, Callable[[Fault, int], Awaitable[bool]]] = {
            "connections_cut": self._cut,
            "replica_promoted": self._promote,
            "replies_delayed": self._delay_replies,
            "replies_swallowed": self._swallow_replies,
            "requests_late": self._delay_requests,
            "server_killed": self._kill_server,
            "server_torn": self._tear_server,
            "worker_killed": self._kill_worker,
            "worker_lost": self._lose_worker,
            "worker_paused": self._pause_worker,
            "worker_stopped": self._stop_worker,
        }

    async def run(self, faults: Sequence[Fault]) -> None:
        """Wait for each fault's time and let it happen; returns once all are over."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        async with asyncio.TaskGroup() as strikes:
            for fault in faults:
                await asyncio.sleep(began + fault.at - loop.time())
                strikes.create_task(self._strike(fault))

    async def _strike(self, fault: Fault) -> None:
        victim = fault.victim % len(self._site.workers)
        if await self._strikes[fault.kind](fault, victim):
            self.happened[fault.kind] += 1

    async def _cut(self, fault: Fault, victim: int) -> bool:
        return (await self._proxy(victim)).cut()

    async def _delay_replies(self, fault: Fault, victim: int) -> bool:
        return await (await self._proxy(victim)).delay_replies(fault.seconds)

    async def _swallow_replies(self, fault: Fault, victim: int) -> bool:
        return await (await self._proxy(victim)).swallow_replies(fault.seconds)

    async def _delay_requests(self, fault: Fault, victim: int) -> bool:
        return await (await self._proxy(victim)).delay_requests(fault.seconds)

    async def _proxy(self, victim: int) -> Proxy:
        """The victim's proxy, once somebody speaks through it."""
        proxy = self._site.proxies[victim]
        await proxy.used.wait()
        return proxy

    async def _kill_worker(self, fault: Fault, victim: int) -> bool:
        worker = self._site.workers[victim]
        async with self._site.locks[victim]:
            ran = worker.kill()
            await asyncio.sleep(fault.seconds)
            worker.start()
        return ran

    async def _lose_worker(self, fault: Fault, victim: int) -> bool:
        """Gone for longer than its leases last, and back under another name."""
        worker = self._site.workers[victim]
        async with self._site.locks[victim]:
            ran = worker.kill()
            worker.name += "-again"
            await asyncio.sleep(fault.seconds)
            worker.start()
        return ran

    async def _pause_worker(self, fault: Fault, victim: int) -> bool:
        worker = self._site.workers[victim]
        async with self._site.locks[victim]:
            ran = worker.pause()
            await asyncio.sleep(fault.seconds)
            worker.resume()
        return ran

    async def _stop_worker(self, fault: Fault, victim: int) -> bool:
        worker = self._site.workers[victim]
        async with self._site.locks[victim]:
            ran = await asyncio.to_thread(worker.stop)
            await asyncio.sleep(fault.seconds)
            worker.start()
        return ran

    async def _kill_server(self, fault: Fault, victim: int) -> bool:
        async with self._site.server_lock:
            await self._restart(fault, torn=0)
        return True

    async def _tear_server(self, fault: Fault, victim: int) -> bool:
        async with self._site.server_lock:
            return await self._restart(fault, torn=fault.size)

    async def _restart(self, fault: Fault, *, torn: int) -> bool:
        """Kill the server and start it over what is left of its file; whether entries are lost."""
        site = self._site
        before = await site.entries()
        site.shut()
        site.server.kill()
        if torn:
            site.server.tear(torn)
        await asyncio.sleep(fault.seconds)
        await site.server.start()
        return await self._reopen(before)

    async def _promote(self, fault: Fault, victim: int) -> bool:
        """Let the replica fall behind, kill its master, and lead everybody to the replica."""
        site = self._site
        async with site.server_lock:
            assert site.replica is not None
            assert site.stream is not None
            site.stream.hold_replies()
            await asyncio.sleep(fault.seconds)
            before = await site.entries()
            site.shut()
            site.stream.cut()
            site.server.kill()
            await site.server.close()
            site.server, site.replica = site.replica, None
            await site.server.promote()
            return await self._reopen(before)

    async def _reopen(self, before: int) -> bool:
        lost = max(0, before - await self._site.entries())
        self.lost += lost
        self._site.reopen()
        return lost > 0
