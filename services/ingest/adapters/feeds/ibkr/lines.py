"""The subscriptions of one connection: who is followed how, who is silent, who is refused."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from services.ingest.adapters.feeds.ibkr.heard import Delay, Heard, Note, Shown, Stamp, Trade
from services.ingest.adapters.feeds.ibkr.parse import Effect, Line, Spec, effect, farm
from services.ingest.adapters.feeds.ibkr.wire import Tws
from services.ingest.domain.items import FeedTick
from shared.events.base import MICROS_PER_SECOND

log = structlog.get_logger(__name__)

IsOpen = Callable[[str, int], bool]
"""Whether a symbol's market is open at a time (µs)."""

# A symbol that stays silent is subscribed anew ever more seldom, up to so many times its patience.
_PATIENCE_MAX = 16
# Longer than the nightly reset of TWS' servers.
_CUT_MAX_US = 1_800 * MICROS_PER_SECOND


@dataclass(slots=True)
class Followed:
    """One symbol's subscription. ``since`` is when it last said something, or was begun."""

    spec: Spec
    contract: Any
    line: Line
    since: int
    request: int = -1
    by_trade: bool = False
    patience: int = 1
    refused: str | None = None


class Lines:
    """All subscriptions of a connection. Times are µs of the wall."""

    def __init__(self, tws: Tws, is_open: IsOpen, trades_max: int, silent_us: int) -> None:
        self.resubscribed = 0
        self.crossed = 0
        self._tws = tws
        self._is_open = is_open
        self._trades_max = trades_max
        self._silent_us = silent_us
        self._by_request: dict[int, Followed] = {}
        self._all: dict[str, Followed] = {}
        self._touched: dict[int, Followed] = {}
        self._broken: set[str] = set()
        self._cut_at: int | None = None

    @property
    def refused(self) -> Mapping[str, str]:
        """Symbols that TWS refuses, each with its reason."""
        return {s: one.refused for s, one in self._all.items() if one.refused is not None}

    def follow(self, symbol: str, spec: Spec, contract: Any, now: int) -> None:
        """Subscribe to a symbol: trade by trade as long as TWS allows more of that."""
        line = Line(symbol, spec.way)
        followed = self._all[symbol] = Followed(spec, contract, line, now)
        followed.by_trade = spec.way == "trades" and self._by_trade < self._trades_max
        self._subscribe(followed, now)

    def take(self, heard: Heard, now: int) -> list[FeedTick]:
        """The ticks that follow from what was heard."""
        match heard:
            case Trade(request, at_s, price, size):
                return self._trade(request, (at_s, price, size), now)
            case Shown(request, kind, price, size):
                if (followed := self._touch(request, now)) is not None:
                    followed.line.price(kind, price, size)
            case Stamp(request, kind, text):
                if (followed := self._by_request.get(request)) is not None:
                    followed.line.stamp(kind, text)
            case Delay(request, is_delayed):
                if (followed := self._by_request.get(request)) is not None:
                    followed.line.is_delayed = is_delayed
            case Note(request, code, text):
                self._note(request, code, text, now)
            case _:
                return self._flush(now)
        return []

    def look(self, now: int) -> None:
        """Subscribe anew to whoever is silent while its market is open and TWS is connected.

        Raises:
            ConnectionError: TWS has been cut off for too long, or its connection is gone.
        """
        if self._cut_at is not None:
            if now - self._cut_at > _CUT_MAX_US:
                raise ConnectionError("TWS has been cut off from its servers for half an hour")
            return
        for symbol, followed in self._all.items():
            wait = self._silent_us * followed.patience
            if now - followed.since >= wait and self._is_open(symbol, now):
                log.warning("symbol_silent", provider="ibkr", symbol=symbol)
                followed.patience = min(2 * followed.patience, _PATIENCE_MAX)
                self._again(followed, now)

    def stop(self) -> None:
        """End all subscriptions, if there still is a connection."""
        if self._tws.is_open:
            for followed in self._by_request.copy().values():
                self._drop(followed)

    @property
    def _by_trade(self) -> int:
        return sum(one.by_trade for one in self._all.values())

    def _trade(self, request: int, trade: tuple[int, float, float], now: int) -> list[FeedTick]:
        followed = self._touch(request, now)
        tick = None if followed is None else followed.line.trade(*trade)
        return [] if tick is None else [tick]

    def _touch(self, request: int, now: int) -> Followed | None:
        followed = self._by_request.get(request)
        if followed is not None:
            followed.since, followed.patience, followed.refused = now, 1, None
            self._touched[request] = followed
        return followed

    def _flush(self, now: int) -> list[FeedTick]:
        ticks: list[FeedTick] = []
        for followed in self._touched.values():
            crossed = followed.line.crossed
            ticks += followed.line.flush(now)
            self.crossed += followed.line.crossed - crossed
        self._touched.clear()
        return ticks

    def _note(self, request: int, code: int, text: str, now: int) -> None:
        meant = effect(code, text)
        followed = self._by_request.get(request)
        if followed is not None:
            self._answer(followed, meant, f"{text} (code {code})", now)
        elif meant in ("cut", "farm_cut", "restored", "farm_restored"):
            self._connection(meant, text, now)
        else:
            log.info("tws_says", code=code, text=text)

    def _answer(self, followed: Followed, meant: Effect, told: str, now: int) -> None:
        symbol = followed.line.symbol
        if meant == "no_trades" and followed.by_trade:
            log.info("no_trade_by_trade", provider="ibkr", symbol=symbol, reason=told)
            self._drop(followed)
            followed.by_trade = False
            self._subscribe(followed, now)
        elif meant in ("refused", "no_trades", "busy"):
            log.warning("symbol_refused", provider="ibkr", symbol=symbol, reason=told)
            followed.refused = told
        else:
            log.info("tws_says", symbol=symbol, text=told)

    def _connection(self, meant: Effect, text: str, now: int) -> None:
        """News of TWS' own connections. What it says of farms at the start changes nothing."""
        log.warning("tws_connection", effect=meant, text=text)
        if meant == "cut":
            self._cut_at = now if self._cut_at is None else self._cut_at
        elif meant == "farm_cut":
            self._broken.add(farm(text))
        elif meant == "restored" or farm(text) in self._broken:
            self._cut_at = None if meant == "restored" else self._cut_at
            self._broken.discard(farm(text))
            for followed in self._all.values():
                self._again(followed, now)

    def _again(self, followed: Followed, now: int) -> None:
        self.resubscribed += 1
        self._drop(followed)
        self._subscribe(followed, now)

    def _subscribe(self, followed: Followed, now: int) -> None:
        ask = self._tws.follow_trades if followed.by_trade else self._tws.follow_prices
        followed.request = ask(followed.contract)
        followed.since = now
        self._by_request[followed.request] = followed

    def _drop(self, followed: Followed) -> None:
        self._by_request.pop(followed.request, None)
        self._touched.pop(followed.request, None)
        stop = self._tws.stop_trades if followed.by_trade else self._tws.stop_prices
        stop(followed.request)
