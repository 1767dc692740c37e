"""Listens on Redis channels and hands what they say to the inlet."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from typing import Any, NoReturn

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from services.ingest.adapters.feeds.push.channels import BadMessage, rows_of
from services.ingest.adapters.feeds.push.inlet import Inlet
from services.ingest.adapters.feeds.push.parse import Book, read_batch
from services.ingest.sections import ChannelNames
from shared.bus.once import Full
from shared.clock import Clock
from shared.telemetry.metrics import MetricName, Row

log = structlog.get_logger(__name__)

_AGAIN_S = 1.0
_WAIT_S = 1.0
# A program that writes rubbish does so often: told once a minute, counted always.
_TELL_EVERY_S = 60.0

Tell = Callable[[str], Awaitable[None]]
"""Tells operators of a connection."""


class Listener:
    """Every replica listens to all channels; the inlet takes each price once.

    Redis keeps no messages: what is published while nobody listens is gone. Programs that must not
    lose a price use ``POST /api/v1/ticks``.
    """

    def __init__(
        self,
        connect: Callable[[], Redis],
        channels: Mapping[str, ChannelNames],
        inlet: Inlet,
        book: Book,
        clock: Clock,
    ) -> None:
        self._connect = connect
        self._channels = channels
        self._inlet = inlet
        self._book = book
        self._clock = clock
        self._counts: Counter[tuple[str, str]] = Counter()
        self._told_at: dict[str, float] = {}

    async def run(self, tell: Tell) -> NoReturn:
        """Listen until cancelled; a lost connection is told, and made again."""
        redis, lost = self._connect(), False
        try:
            while True:
                try:
                    async with redis.pubsub() as heard:
                        await heard.subscribe(*self._channels)
                        if lost:
                            await tell("listens on Redis channels again")
                        lost = False
                        await self._listen(heard)
                except (RedisError, OSError) as error:
                    if not lost:
                        log.warning("channels_away", reason=str(error))
                    lost = True
                    await asyncio.sleep(_AGAIN_S)
        finally:
            await redis.aclose()

    def metrics(self) -> Iterator[tuple[MetricName, Iterable[Row]]]:
        """How many prices, and messages that hold none, each channel gave."""
        yield "tideline_pushed_total", [(key, float(n)) for key, n in self._counts.items()]

    async def take(self, channel: str, message: str) -> None:
        """Hand over what one message holds; what is wrong in it is counted and told.

        Raises:
            RedisError, OSError: the log is away; the message is not taken.
        """
        try:
            rows = rows_of(message, self._channels[channel])
        except BadMessage as error:
            self._complain(channel, "malformed", str(error))
            return
        batch = read_batch(rows, self._book, self._clock.now())
        for fault in batch.faults:
            where = f"{fault.field}: " if fault.field else ""
            self._complain(channel, "rejected", f"item {fault.item}: {where}{fault.detail}")
        try:
            taken = await self._inlet.take(batch)
        except Full as error:
            self._complain(channel, "full", str(error), len(batch.given))
            return
        self._counts[channel, "accepted"] += taken.accepted
        self._counts[channel, "duplicate"] += taken.duplicate

    async def _listen(self, heard: Any) -> NoReturn:
        while True:
            message = await heard.get_message(ignore_subscribe_messages=True, timeout=_WAIT_S)
            if message is not None and message["channel"] in self._channels:
                await self.take(message["channel"], message["data"])

    def _complain(self, channel: str, result: str, reason: str, count: int = 1) -> None:
        self._counts[channel, result] += count
        now = self._clock.elapsed()
        if now - self._told_at.get(f"{channel} {result}", -_TELL_EVERY_S) >= _TELL_EVERY_S:
            self._told_at[f"{channel} {result}"] = now
            total = self._counts[channel, result]
            log.warning("push_refused", channel=channel, result=result, reason=reason, total=total)
