"""What the feed of a simulation reads, and the feed itself: the only writer of each spine."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from random import Random

from shared.bus.partitions import partition_of
from shared.bus.poison import dead_letter
from shared.bus.session import Session
from shared.clock import Clock
from shared.events import Close, Config, ConfigRequested, Event, Heartbeat, Tick, Window
from shared.events.codec import Decoded, Poison

CURSOR = "@cursor"
POS = "@pos"
_SECOND = 1_000_000
# Of the market's own time: the first minute's window needs something before it.
_START = 3_600 * _SECOND
_NAP_S = 0.07


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that happens in the market: a tick, the end of a candle, or nothing for long."""

    number: int
    kind: str
    symbol: str

    def event(self, pos: int, price: float, size: float) -> Event:
        """The spine entry. Its time alone tells which item it is."""
        at = _START + self.number * _SECOND
        if self.kind == "close":
            window = Window(timeframe="1m", open_at=at - 60 * _SECOND)
            return Close(symbol=self.symbol, at=at, pos=pos, session_at=0, windows=(window,))
        if self.kind == "heartbeat":
            return Heartbeat(symbol="*", at=at, pos=pos)
        return Tick(
            symbol=self.symbol, at=at, pos=pos, price=price, size=size, source="sim", n=self.number
        )


def item_number(event: Event) -> int:
    """Which item of its partition a spine entry was made of."""
    return (event.at - _START) // _SECOND


@dataclass(slots=True)
class Market:
    """All that will happen, by partition, spread evenly over ``seconds``."""

    items: list[list[Item]]
    seconds: float
    # Prices of the next ticks, whatever the market says.
    odd_prices: list[deque[float]] = field(default_factory=list)

    def due(self, partition: int, cursor: int, elapsed: float) -> Sequence[Item]:
        """What has happened since the cursor."""
        items = self.items[partition]
        return items[cursor : int(len(items) * min(1.0, elapsed / self.seconds))]


def draw_market(chance: Random, partitions: int, seconds: float) -> Market:
    """A market of two symbols a partition."""
    items = []
    for partition in range(partitions):
        names = (f"S{n}" for n in count())
        symbols = [next(n for n in names if partition_of(n, partitions) == partition) for _ in "ab"]
        kinds = [_kind(chance) for _ in range(chance.randint(30, 70))]
        drawn = [(kind, "*" if kind == "heartbeat" else chance.choice(symbols)) for kind in kinds]
        drawn += [("close", symbol) for symbol in symbols] + [("heartbeat", "*")]
        items.append([Item(i, *one) for i, one in enumerate(drawn)])
    return Market(items, seconds, [deque() for _ in range(partitions)])


def _kind(chance: Random) -> str:
    return chance.choices(["tick", "close", "heartbeat"], weights=[10, 3, 1])[0]


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
            items = self._market.due(session.partition, cursor, self._clock.elapsed())
            items = items[: self._chance.randint(1, 5)]
            asked = await session.read("inbox", count=self._chance.randint(1, 3))
            if items or asked:
                await self._commit(session, items, asked, life)
            else:
                await asyncio.sleep(_NAP_S)

    async def _commit(
        self, session: Session, items: Sequence[Item], asked: Sequence[Decoded], life: int
    ) -> None:
        cursor, pos = (int(session.state.get(name, "0")) for name in (CURSOR, POS))
        changes: dict[str, str] = {}
        outputs: list[Event] = []
        for entry_id, request in asked:
            if isinstance(request, Poison):
                outputs.append(dead_letter("feed", "inbox", entry_id, request))
            elif isinstance(request, ConfigRequested):
                pos += 1
                outputs.append(_config(request, pos))
        for item in items:
            pos += 1
            outputs.append(item.event(pos, self._price(session.partition, item), float(life)))
        changes = {CURSOR: str(cursor + len(items)), POS: str(pos)}
        offsets = {"inbox": (asked[-1][0], len(asked))} if asked else {}
        await session.commit(outputs, changes, offsets)  # type: ignore[arg-type]

    def _price(self, partition: int, item: Item) -> float:
        odd = self._market.odd_prices[partition]
        return odd.popleft() if odd and item.kind == "tick" else 1.0 + item.number


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
