"""Which feed the settings ask for, and what it knows of instruments."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from services.ingest.adapters.feeds.base import Feed
from services.ingest.adapters.feeds.demo.anchor import anchor
from services.ingest.adapters.feeds.demo.feed import DemoFeed
from services.ingest.adapters.feeds.file.feed import FileFeed
from services.ingest.adapters.feeds.file.reading import Defaults
from services.ingest.domain.instrument_file import BadInstrument, with_file
from services.ingest.domain.instruments import InstrumentTable, built_in
from services.ingest.settings import IngestSection
from shared.service.frame import Service
from shared.service.settings import SettingsError


def instruments(path: Path | None) -> InstrumentTable:
    """The built-in instruments, with those of a file.

    Raises:
        SettingsError: the file cannot be read, or something in it is no instrument.
    """
    table = InstrumentTable(built_in())
    if path is None:
        return table
    try:
        return with_file(table, path.read_text("utf-8"), str(path))
    except OSError as error:
        raise SettingsError(f"instrument file {path}: {error.strerror}") from None
    except (BadInstrument, UnicodeDecodeError) as error:
        raise SettingsError(str(error)) from None


class Source:
    """The one feed that all partitions share, made when the first of them asks."""

    def __init__(self, given: Feed | None, make: Callable[[], Awaitable[Feed | None]]) -> None:
        self._feed = given
        self._make = make
        self._made = given is not None
        self._turn = asyncio.Lock()

    async def get(self) -> Feed | None:
        """The feed."""
        async with self._turn:
            if not self._made:
                self._feed = await self._make()
                self._made = True
        return self._feed


async def feed(section: IngestSection, table: InstrumentTable, service: Service) -> Feed | None:
    """The source of prices, or None where none is set."""
    if section.feed == "demo":
        began = await anchor(service.redis, service.keys, section.seed, service.clock.now())
        known = {one.symbol: one for one in built_in()}
        return DemoFeed(
            known, service.clock, anchor=began, seed=section.seed, speed=section.demo_speed
        )
    if section.feed == "file" and section.file is not None:
        return FileFeed(
            section.file,
            table,
            service.clock,
            speed=section.file_speed,
            defaults=Defaults(section.symbol, section.timeframe),
        )
    return None
