"""The two loops that keep the book up to date: events as they come, views of what is looked at."""

import asyncio

import structlog
from redis.exceptions import RedisError

from services.charts.adapters.hub import Hub
from services.charts.adapters.log_reader import Reader
from services.charts.domain.forming import forming_candles
from services.charts.domain.pulses import DataStatus, data_status
from shared.clock import Clock

log = structlog.get_logger(__name__)

# A read this large may have been cut off; a smaller one has reached the end of what is retained.
_LARGE = 1_000
# Seconds matter here, not moments: a symbol is stale after a minute.
_DATA_EVERY_S = 2.0


async def follow(reader: Reader, hub: Hub) -> None:
    """Take in all that is retained, then all that comes."""
    while True:
        batch = await reader.batch()
        for event in batch:
            if hub.book.apply(event):
                hub.announce(event)
        if not hub.ready and len(batch) < _LARGE:
            hub.ready = True
            log.info("history_read", symbols=len(hub.book.symbols()))
        await asyncio.sleep(0)  # a full backlog must not keep clients from being answered


async def watch(reader: Reader, hub: Hub, period_s: float) -> None:
    """Look at the forming candles of the symbols that somebody looks at."""
    while True:
        await asyncio.sleep(period_s)
        symbols = hub.watched()
        if not symbols:
            continue
        try:
            shown = await reader.views(symbols)
        except (RedisError, OSError) as error:
            if not hub.log_away:
                log.warning("views_wait", reason=str(error))
            hub.log_away = True
            continue
        hub.log_away = False
        for symbol, text in shown.items():
            _form(hub, symbol, text)


async def watch_data(reader: Reader, hub: Hub, clock: Clock) -> None:
    """Look at how fresh the data of each symbol are."""
    while True:
        await asyncio.sleep(_DATA_EVERY_S)
        try:
            shown = await reader.pulses(hub.book.symbols())
        except (RedisError, OSError):
            continue  # told by whoever looks at forming candles
        statuses: dict[str, DataStatus] = {}
        for symbol, text in shown.items():
            try:
                statuses[symbol] = data_status(text, clock.now())
            except ValueError as error:
                log.warning("view_unreadable", symbol=symbol, reason=str(error))
        hub.book.refresh(statuses)


def _form(hub: Hub, symbol: str, text: str) -> None:
    try:
        candles = forming_candles(text)
    except ValueError as error:
        log.warning("view_unreadable", symbol=symbol, reason=str(error))
        return
    hub.form(hub.book.form(symbol, candles))
