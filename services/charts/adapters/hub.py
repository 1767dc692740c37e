"""Who looks at which chart: one tracker a chart, every message built and encoded once for all."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from services.charts.domain import messages
from services.charts.domain.book import Book, Key
from services.charts.domain.messages import Message
from services.charts.domain.outbox import Outbox, numbered
from services.charts.domain.relevance import belongs
from services.charts.domain.shapes import ShownLevel, candle_from, candle_of
from shared.clock import Clock
from shared.events import AlertFired, CandleClosed, Event, LevelComputed, SignalGenerated
from shared.service.encoding import encoded


class HubFull(Exception):
    """As many clients are connected as are allowed."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of the fan-out: clients in all, messages waiting for one, candles in a snapshot."""

    clients: int = 500
    waiting: int = 100
    snapshot_candles: int = 500


@dataclass(frozen=True, slots=True)
class Wish:
    """What a client asked for: the chart, where its candles end, and whose alerts it wants."""

    key: Key
    since: int | None = None
    all_alerts: bool = False


@dataclass(eq=False, slots=True)
class Client:
    """One connection. ``seq`` numbers what was sent, without a gap."""

    wish: Wish
    outbox: Outbox
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    seq: int = 0

    def put(self, text: str) -> None:
        """Let it have a message, or a snapshot if it is too slow for that."""
        self.outbox.put(text)
        self.woken.set()

    def numbered(self, text: str) -> str:
        """The text with the connection's next number."""
        self.seq += 1
        return numbered(text, self.seq)


@dataclass(slots=True)
class Tracker:
    """A chart that somebody looks at, and the levels that it was last told."""

    levels: list[ShownLevel]
    clients: set[Client] = field(default_factory=set)
    last_update_time: int = 0


class Hub:
    """Turns news of the book into messages for those who look at it.

    ``ready`` once all that is retained has been read; ``log_away`` while views cannot be read,
    which is told to clients, so that a page can say why nothing moves.
    """

    def __init__(self, book: Book, limits: Limits, clock: Clock) -> None:
        self.book = book
        self.limits = limits
        self.ready = False
        self.log_away = False
        self._clock = clock
        self._trackers: dict[Key, Tracker] = {}

    def join(self, wish: Wish) -> Client:
        """Begin to follow a chart.

        Raises:
            HubFull: there are too many clients.
        """
        if sum(len(tracker.clients) for tracker in self._trackers.values()) >= self.limits.clients:
            raise HubFull(f"all {self.limits.clients} connections are taken; try again later")
        client = Client(wish, Outbox(self.limits.waiting))
        if wish.key not in self._trackers:
            self._trackers[wish.key] = Tracker(self.book.levels(wish.key))
        self._trackers[wish.key].clients.add(client)
        return client

    def leave(self, client: Client) -> None:
        """End following; a chart that nobody looks at is not tracked."""
        tracker = self._trackers[client.wish.key]
        tracker.clients.discard(client)
        if not tracker.clients:
            del self._trackers[client.wish.key]

    async def next(self, client: Client) -> str:
        """Wait for the client's next message: the snapshot first, or when it fell behind."""
        while True:
            client.woken.clear()
            if client.outbox.behind:
                client.outbox.behind = False
                return client.numbered(self._snapshot(client))
            text = client.outbox.take()
            if text is not None:
                return client.numbered(text)
            await client.woken.wait()

    def ping(self, client: Client) -> str:
        """A sign of life."""
        at = messages.market_time(self.book.newest(client.wish.key))
        return client.numbered(_text(messages.ping(self.log_away, at)))

    def hello(self, client: Client, ping_s: float) -> str:
        """The greeting."""
        return client.numbered(_text(messages.hello(self.book, client.wish.key, ping_s)))

    def watched(self) -> set[str]:
        """Symbols that somebody looks at."""
        return {symbol for symbol, _ in self._trackers}

    def announce(self, event: Event) -> None:
        """Tell of an event that the book has just taken in as news."""
        match event:
            case CandleClosed():
                key = (event.symbol, event.timeframe)
                if key in self._trackers:
                    self._tell(key, messages.candle_update(self.book, key, candle_of(event)))
            case LevelComputed():
                self._announce_levels(event)
            case SignalGenerated():
                text = _text(messages.signal(event))
                for key in self._tracked(event.symbol):
                    if belongs(event.timeframe, event.level, key[1]):
                        self._send(key, text)
            case AlertFired():
                self._announce_alert(event)

    def form(self, keys: list[Key]) -> None:
        """Tell of forming candles that have changed."""
        for key in keys:
            candle = self.book.newest(key)
            if key in self._trackers and candle is not None:
                self._tell(key, messages.candle_update(self.book, key, candle))

    def status(self) -> dict[str, Any]:
        """What ``/ws/status`` answers."""
        trackers = {
            f"{key[0]}_{key[1]}": self._tracker_status(key, tracker)
            for key, tracker in self._trackers.items()
        }
        return {"active_trackers": len(trackers), "trackers": trackers}

    def _tracker_status(self, key: Key, tracker: Tracker) -> dict[str, Any]:
        found = messages.signals(self.book, key, messages.SIGNALS_AT_FIRST)
        return {
            "last_candle_count": self.book.count(key),
            "last_update_time": tracker.last_update_time,
            "cached_signals_count": {kind: len(kept) for kind, kept in found.items()},
            "clients": len(tracker.clients),
            "dropped": sum(client.outbox.dropped for client in tracker.clients),
        }

    def _announce_levels(self, event: LevelComputed) -> None:
        for key in self._tracked(event.symbol):
            tracker, levels = self._trackers[key], self.book.levels(key)
            if key[1] == event.timeframe:
                candle = candle_from(event.candle, closed=True)
                self._tell(key, messages.full_update(self.book, key, candle))
            elif levels != tracker.levels:
                newest = self.book.newest(key)
                self._tell(key, messages.full_update(self.book, key, newest))
            tracker.levels = levels

    def _announce_alert(self, event: AlertFired) -> None:
        if not self._trackers:
            return
        text = _text(messages.alert(self.book, event))
        for key, tracker in self._trackers.items():
            for client in tracker.clients:
                if client.wish.all_alerts or key[0] == event.symbol:
                    client.put(text)

    def _snapshot(self, client: Client) -> str:
        wish = client.wish
        candles = self.book.candles(wish.key, None, self.limits.snapshot_candles)
        # Only a connection's first snapshot continues what the client had before it.
        if wish.since is not None and client.seq <= 1:
            candles = [candle for candle in candles if candle.open_at >= wish.since]
        alerts_of = None if wish.all_alerts else wish.key[0]
        return _text(messages.snapshot(self.book, wish.key, candles, alerts_of))

    def _tracked(self, symbol: str) -> list[Key]:
        return [key for key in self._trackers if key[0] == symbol]

    def _tell(self, key: Key, message: Message) -> None:
        self._send(key, _text(message))

    def _send(self, key: Key, text: str) -> None:
        tracker = self._trackers[key]
        tracker.last_update_time = self._clock.now()
        for client in tracker.clients:
            client.put(text)


def _text(message: Message) -> str:
    return encoded(message).decode()
