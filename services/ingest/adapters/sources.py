"""Which feed the settings ask for, and what it knows of instruments."""

import asyncio
from collections.abc import Awaitable, Callable

from services.ingest.adapters.feeds.base import Feed
from services.ingest.adapters.feeds.demo.feed import (
    DEFAULT_SPEED,
    LEAD_IN_US,
    START,
    DemoFeed,
    market_name,
)
from services.ingest.adapters.feeds.file.feed import FileFeed, Playing
from services.ingest.adapters.feeds.file.reading import Defaults
from services.ingest.adapters.feeds.idle import IdleFeed
from services.ingest.adapters.feeds.live.wiring import live_engine
from services.ingest.adapters.feeds.pace import Paces
from services.ingest.adapters.feeds.push.feed import PushFeed
from services.ingest.adapters.watched import Watched
from services.ingest.domain.instrument_file import BadInstrument, with_file
from services.ingest.domain.instruments import (
    InstrumentTable,
    UnknownSymbol,
    built_in,
    simulated,
)
from services.ingest.settings import IngestSection
from shared.service.frame import Service
from shared.service.settings import SettingsError


def instruments(section: IngestSection) -> InstrumentTable:
    """The built-in instruments, with those of the user's file.

    Raises:
        SettingsError: the file cannot be read, something in it is no instrument, or a symbol that
            was chosen is not known.
    """
    try:
        table = _with_users(InstrumentTable(built_in()), section)
        for symbol in (*section.symbols, *section.watchlists.default):
            table.get(symbol)
    except (BadInstrument, UnknownSymbol) as error:
        raise SettingsError(str(error)) from None
    if section.feed == "demo":
        return InstrumentTable(simulated(table.instruments))
    return table


def _with_users(table: InstrumentTable, section: IngestSection) -> InstrumentTable:
    path = section.instruments
    if path is None:
        return table
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise BadInstrument(f"instrument file {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BadInstrument(f"instrument file {path}: no UTF-8 text") from None
    return with_file(table, text, str(path))


class Source:
    """The one feed that all partitions share, made when the first of them asks."""

    def __init__(self, given: Feed | None, make: Callable[[], Awaitable[Feed]]) -> None:
        self._feed = given
        self._make = make
        self._turn = asyncio.Lock()

    async def get(self) -> Feed:
        """The feed."""
        async with self._turn:
            if self._feed is None:
                self._feed = await self._make()
        return self._feed


async def feed(
    section: IngestSection, table: InstrumentTable, service: Service, watched: Watched
) -> Feed:
    """The source of prices; one that tells the time alone where none is set.

    A live one follows what is watched; the others have a market of their own.
    """
    paces = Paces(service.redis, service.keys, service.clock)
    if section.feed == "demo":
        speed = DEFAULT_SPEED if section.speed is None else section.speed
        begin = START - int(LEAD_IN_US * speed)
        pace = await paces.of(market_name(section.seed), begin, speed)
        return DemoFeed(table, service.clock, pace, section.seed)
    if section.feed == "file" and section.file is not None:
        defaults = Defaults(section.file_symbol, section.file_timeframe)
        paced = Playing(paces, section.speed) if section.speed else None
        return FileFeed(section.file, table, service.clock, paced, defaults)
    if section.feed == "push":
        return PushFeed(service.log, table, service.clock, section.symbols)
    if section.feed == "live":
        return await live_engine(section, table, watched, service)
    return IdleFeed(service.clock)
