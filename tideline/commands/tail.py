"""``tideline tail``: what happens on a topic, readably."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import typer

from shared.bus.connection import execute
from shared.bus.keys import Keys
from shared.bus.log import START
from shared.bus.partitions import partition_of
from shared.bus.redis_log import RedisLog
from shared.bus.topics import OPS_TOPIC, TOPICS
from shared.events import Event
from shared.events.codec import Decoded, Poison, decode, event_types
from shared.events.control import Watermark
from tideline.access import access, opened
from tideline.installed import absent
from tideline.interrupt import interruptible
from tideline.readable import line, unread
from tideline.settings import LauncherSettings
from tideline.terminal import Terminal, write_json
from tideline.trouble import MISUSED, Trouble, listed

NAMES = (*TOPICS, OPS_TOPIC)
_BLOCK_MS = 500
_BATCH = 1000
# How far back a partition is looked through for what is wanted, and how much at once.
_LOOK_BACK = 20_000
_PAGE = 1_000


def tail(
    topic: Annotated[str, typer.Argument(help="One of " + ", ".join(NAMES) + ".")],
    symbol: Annotated[str | None, typer.Option(help="Only this symbol.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as they come.")] = False,
    count: Annotated[
        int, typer.Option("--count", "-n", min=0, help="How many to begin with.")
    ] = 20,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Print a topic's newest events in order."""
    if topic not in NAMES:
        raise Trouble(f"there is no topic {topic!r}; choose {listed(NAMES)}", MISUSED)
    wanted = _Wanted(topic, symbol, count)
    asyncio.run(interruptible(_tail(wanted, follow=follow, json=json)))


class _Wanted:
    """Which entries are wanted, of which streams."""

    def __init__(self, topic: str, symbol: str | None, count: int) -> None:
        self.topic = topic
        self.symbol = symbol
        self.count = count

    def streams(self, keys: Keys) -> list[str]:
        """Keys of the streams in which they can be."""
        if self.topic == OPS_TOPIC:
            return [keys.ops()]
        topic = next(name for name in TOPICS if name == self.topic)
        if self.symbol is not None:
            return [keys.topic(partition_of(self.symbol, keys.partitions), topic)]
        return [keys.topic(partition, topic) for partition in range(keys.partitions)]

    def chosen(self, entries: Iterable[Decoded]) -> list[Decoded]:
        """Those of the symbol, and whatever cannot be read; how far a stage is, is no event."""
        return [
            (entry, event)
            for entry, event in entries
            if isinstance(event, Poison)
            or (self.symbol in (None, event.symbol) and not isinstance(event, Watermark))
        ]


async def _tail(wanted: _Wanted, *, follow: bool, json: bool) -> None:
    terminal = Terminal()

    def show(entries: Sequence[Decoded]) -> None:
        for entry, event in entries:
            if json:
                write_json(as_json(entry, event))
            elif foreign and isinstance(event, Poison):
                terminal.out(unread(entry, event.fields))
            else:
                terminal.out(line(entry, event))

    async with opened(access(LauncherSettings.load())) as log:
        foreign = not event_types(wanted.topic)
        if foreign:
            terminal.say(
                f"{wanted.topic} is shown as it is written: the code that knows it is that of "
                f"another service, and this installation has no {listed(absent())}"
            )
        offsets, newest = await _newest(log, wanted)
        show(newest)
        if wanted.symbol is not None and wanted.count and not newest:
            terminal.say(
                f"nothing of {wanted.symbol} among the newest {_LOOK_BACK:,} entries of its "
                f"partition; `tideline instruments {wanted.symbol}` says whether there is such "
                "a symbol"
            )
        while follow:
            show(wanted.chosen(await _next(log, offsets)))


async def _newest(log: RedisLog, wanted: _Wanted) -> tuple[dict[str, str], list[Decoded]]:
    """The newest wanted entries in order of writing, and where each stream ended."""
    offsets: dict[str, str] = {}
    found: list[Decoded] = []
    for stream in wanted.streams(log.keys):
        offsets[stream], chosen = await _newest_of(log, stream, wanted)
        found += chosen
    found.sort(key=_written)
    return offsets, found[len(found) - wanted.count :] if wanted.count < len(found) else found


async def _newest_of(log: RedisLog, stream: str, wanted: _Wanted) -> tuple[str, list[Decoded]]:
    """Where a stream ended, and at least as many of its newest wanted entries as there may be."""
    end, last = START, "+"
    found: list[Decoded] = []
    size, left = min(max(1, wanted.count), _PAGE), max(wanted.count, _LOOK_BACK)
    while left > 0:
        page = await execute(log.redis, "XREVRANGE", stream, last, "-", "COUNT", size)
        if last == "+" and page:
            end = page[0][0]
        found += wanted.chosen(decode(page))
        if len(page) < size or len(found) >= wanted.count:
            break
        last = f"({page[-1][0]}"
        size, left = _PAGE, left - size
    return end, found


async def _next(log: RedisLog, offsets: dict[str, str]) -> list[Decoded]:
    """What comes next, in order of writing; moves the offsets on."""
    ends = (*offsets, *offsets.values())
    reply = await execute(log.redis, "XREAD", "COUNT", _BATCH, "BLOCK", _BLOCK_MS, "STREAMS", *ends)
    found: list[Decoded] = []
    for stream, entries in reply or []:
        offsets[stream] = entries[-1][0]
        found += decode(entries)
    return sorted(found, key=_written)


def _written(entry: Decoded) -> tuple[int, int]:
    at, _, number = entry[0].partition("-")
    return int(at), int(number)


def as_json(entry: str, event: Event | Poison) -> dict[str, Any]:
    """An entry as one object: the event's fields, its type and id, and the entry's own id."""
    if isinstance(event, Poison):
        return {"entry": entry, "type": None, "reason": event.reason, "fields": event.fields}
    named = {"entry": entry, "type": event.TYPE, "id": event.id}
    return named | event.model_dump(mode="json")
