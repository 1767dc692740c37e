"""What the feed of a simulation reads, and the feed itself: the only writer of each spine."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from random import Random

from shared.bus.log import Log
from shared.bus.partitions import partition_of
from shared.bus.poison import dead_letter
from shared.bus.session import Session
from shared.bus.topics import Topic
from shared.clock import Clock
from shared.events import Close, Config, ConfigRequested, Event, Heartbeat, Tick, Window
from shared.events.codec import Decoded, Poison

CURSOR = "@cursor"
POS = "@pos"
# The kind of the configs that are asked for: no stage knows it.
ASKED = "note"
_SECOND = 1_000_000
# Of the market's own time: the first minute's window needs something before it.
_START = 3_600 * _SECOND
_NAP_S = 0.07


@dataclass(slots=True)
class Market:
    """All that will happen, by partition and but for its positions, spread over ``seconds``."""

    entries: list[list[Event]]
    seconds: float
    # Prices of the next ticks, whatever the market says.
    odd_prices: list[deque[float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.odd_prices = [deque() for _ in self.entries]

    def due(self, partition: int, cursor: int, elapsed: float) -> Sequence[Event]:
        """What has happened since the cursor."""
        entries = self.entries[partition]
        return entries[cursor : int(len(entries) * min(1.0, elapsed / self.seconds))]


def draw_market(chance: Random, partitions: int, seconds: float) -> Market:
    """A market of two symbols a partition."""
    return Market([_draw(chance, at, partitions) for at in range(partitions)], seconds)


def _draw(chance: Random, partition: int, partitions: int) -> list[Event]:
    names = (f"S{n}" for n in count())
    symbols = [next(n for n in names if partition_of(n, partitions) == partition) for _ in "ab"]
    kinds = chance.choices(["tick", "close", "heartbeat"], [10, 3, 1], k=chance.randint(30, 70))
    drawn = [(kind, chance.choice(symbols)) for kind in kinds]
    drawn += [("close", symbol) for symbol in symbols] + [("heartbeat", "*")]
    return [_entry(number, *one) for number, one in enumerate(drawn)]


def _entry(number: int, kind: str, symbol: str) -> Event:
    at = _START + number * _SECOND
    if kind == "close":
        window = Window(timeframe="1m", open_at=at - 60 * _SECOND)
        return Close(symbol=symbol, at=at, pos=0, session_at=0, windows=(window,))
    if kind == "heartbeat":
        return Heartbeat(symbol="*", at=at, pos=0)
    return Tick(symbol=symbol, at=at, pos=0, price=1.0 + number, size=1, source="sim", n=number)


class Feed:
    """Copies the market onto the spines, and asked-for configs with it.

    What was read before a rollback reads differently afterwards: every life of the feed gives its
    ticks another size, so that whatever rests on a lost entry can be told from what rests on the
    one that took its place.
    """

    def __init__(self, market: Market, clock: Clock, chance: Random) -> None:
        self._market = market
        self._clock = clock
        self._chance = chance
        self._lives = count(1)

    async def run(self, session: Session) -> None:
        """One partition's feed, from where the last one committed."""
        life = next(self._lives)
        while True:
            cursor = int(session.state.get(CURSOR, "0"))
            entries = self._market.due(session.partition, cursor, self._clock.elapsed())
            entries = entries[: self._chance.randint(1, 5)]
            asked = await session.read("inbox", count=self._chance.randint(1, 3))
            if entries or asked:
                await self._commit(session, entries, asked, life)
            else:
                await asyncio.sleep(_NAP_S)

    async def _commit(
        self, session: Session, entries: Sequence[Event], asked: Sequence[Decoded], life: int
    ) -> None:
        cursor, pos = (int(session.state.get(name, "0")) for name in (CURSOR, POS))
        outputs: list[Event] = []
        for entry_id, request in asked:
            if isinstance(request, Poison):
                outputs.append(dead_letter("feed", "inbox", entry_id, request))
            elif isinstance(request, ConfigRequested):
                pos += 1
                outputs.append(_config(request, pos))
        for entry in entries:
            pos += 1
            outputs.append(self._written(session.partition, entry, pos, life))
        changes = {CURSOR: str(cursor + len(entries)), POS: str(pos)}
        offsets: dict[Topic, tuple[str, int]] = {}
        if asked:
            offsets["inbox"] = (asked[-1][0], len(asked))
        await session.commit(outputs, changes, offsets)

    def _written(self, partition: int, entry: Event, pos: int, life: int) -> Event:
        changes: dict[str, float] = {"pos": pos}
        if isinstance(entry, Tick):
            odd = self._market.odd_prices[partition]
            changes |= {"size": float(life), "price": odd.popleft() if odd else entry.price}
        return entry.model_copy(update=changes)


async def ask(log: Log, partition: int, version: str) -> None:
    """Ask a partition's feed for a config that changes nothing."""
    wanted = ConfigRequested(
        symbol="*", at=0, pos=0, kind=ASKED, name="sim", version=version, body={}
    )
    await log.append(partition, "inbox", wanted.wire())


def _config(request: ConfigRequested, pos: int) -> Config:
    return Config(
        symbol=request.symbol,
        at=request.at,
        pos=pos,
        kind=request.kind,
        name=request.name,
        version=request.version,
        body=request.body,
    )
