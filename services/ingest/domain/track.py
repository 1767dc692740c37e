"""What the live feed knows of one watched symbol: how far it is, what to ask, and of whom."""

from collections import Counter, deque
from collections.abc import Container, Mapping, Sequence
from typing import NamedTuple

from services.ingest.domain.asking import Answer, Ask, Given, Refused
from services.ingest.domain.fills import Piece, fill, seeds
from services.ingest.domain.items import (
    Cursor,
    FeedCandle,
    FeedGap,
    FeedReached,
    FeedRejected,
    FeedSource,
    Item,
)
from services.ingest.domain.screening import Dropped, Sound, Stretch, screen
from services.ingest.domain.sessions import SessionCalendar, Span
from shared.events.base import stamp
from shared.events.candle import Origin
from shared.market.instruments import Instrument
from shared.market.timeframes import LENGTH_US, Timeframe

_S = 1_000_000
_MINUTE = LENGTH_US["1m"]
# A minute's candle may still change so long after its end.
_SETTLE_US = 3 * _S
# Clocks of providers may be ahead of ours by so much.
_AHEAD_US = 5 * _S
# Minutes that ended longer ago than this, and what the polling takes, are a fill and alert nobody.
_LIVE_US = 150 * _S
# Providers late by less than this are late by chance, not by contract.
_DELAYED_US, _DELAYED_MAX_US = 90 * _S, 30 * _MINUTE
_LAGS = 30
# Where no later candle shows that a minute had none: how long one may still come.
_PATIENCE_US = 3 * _MINUTE
# A session that nothing was heard of is asked about until an answer so long after its end.
_AFTERWARDS_US = 30 * _MINUTE
# A symbol without any candle for so long in its session is looked for elsewhere.
_STALLED_US = 10 * _MINUTE
_BARRED_US, _BARRED_MAX_US = 10 * _MINUTE, 240 * _MINUTE
_STRIKES = 3
_FUTURE_MAX = 1_000

Reach = Mapping[Timeframe, tuple[int, int]]
"""How far back candles are to be had, and how much of it in one call (µs)."""


class Taken(NamedTuple):
    """What follows from an answer: items for the spine, and what was left out."""

    items: list[Item]
    dropped: Counter[Dropped]


class Track:
    """One symbol. ``names`` are its names at the providers of its kind, in the order of choice.

    ``cursor`` is how far the spine has it; None: it is new, and seeded first. ``is_laid_over``
    where prices are told besides the candles. Pure: the shell tells the time (µs) and who is away,
    asks, and brings the answers back, one at a time.
    """

    def __init__(
        self,
        instrument: Instrument,
        names: Mapping[str, str],
        cursor: Cursor | None,
        now: int,
        is_laid_over: bool = False,
    ) -> None:
        self.symbol = instrument.symbol
        self.names = names
        self.calendar = SessionCalendar(instrument.session)
        self.source: str | None = None
        self.next_at = now
        self.served_at = 0
        self.is_asked = False
        self._known = 0 if cursor is None else cursor.at
        self._reached = self._asked_at = self._answered_at = 0
        self._handed = self._known
        # Prices of the minute that the first candle is of may stand on the spine.
        self._joint = cursor is not None and (is_laid_over or cursor.at % _MINUTE != 0)
        self._lags: dict[str, deque[int]] = {}
        self._barred: dict[str, int] = {}
        self._bars: Counter[str] = Counter()
        self._strikes: Counter[str] = Counter()
        self._refusers: set[str] = set()
        self._told_future: set[int] = set()
        self._gaps: list[FeedGap] = []
        self._pieces: deque[Piece] = deque()
        self._pieces += self._first(now)

    @property
    def known(self) -> int:
        """Every item before this time has been handed over; 0 while nothing has."""
        return self._handed if self._is_seeding else self._known

    @property
    def _is_seeding(self) -> bool:
        return bool(self._pieces) and self._pieces[0].origin == "seed"

    def lag_us(self, provider: str) -> int:
        """How late a provider is by contract, as seen: the least of its last answers."""
        least = min(self._lags.get(provider, ()), default=0)
        return least if least >= _DELAYED_US else 0

    def active(self, now: int, lost: Container[str]) -> str | None:
        """The provider to ask now: the first that is not away and has not refused the symbol."""
        for name in self.names:
            if name not in lost and self._barred.get(name, 0) <= now:
                return name
        return None

    def ask(self, provider: str, now: int, reach: Reach) -> Ask | None:
        """What to ask of a provider; None, and ``next_at`` moved on, while the market is closed."""
        self._asked_at = now
        if self._pieces:
            piece = self._pieces[0]
            oldest, stretch = reach[piece.timeframe]
            since = max(piece.since, now - oldest)
            until = min(piece.until, since + stretch)
            if since < until:
                return Ask(self.symbol, self.names[provider], piece.timeframe, since, until)
            self._give_up(piece, f"{provider} keeps no {piece.timeframe} candles so long")
            return self.ask(provider, now, reach)
        missing = self._missing_since(now - self.lag_us(provider))
        if missing is None:
            following = self.calendar.next(now)
            ahead = now + _MINUTE if following is None else following.open_at
            self.next_at = max(ahead, now) + _MINUTE + _SETTLE_US
            return None
        missing = max(missing, now - min(reach["1m"]))
        return Ask(self.symbol, self.names[provider], "1m", missing, now + _SETTLE_US)

    def probe(self, provider: str, now: int) -> Ask:
        """A small question that shows whether a provider is back."""
        return Ask(self.symbol, self.names[provider], "1m", now - 10 * _MINUTE, now)

    def take(self, ask: Ask, provider: str, answer: Answer, interval_us: int, now: int) -> Taken:
        """What follows from an answer of the active provider."""
        self._strikes[provider] = 0
        piece = self._pieces[0] if self._pieces else None
        # An answer may take long: it speaks of the time at which it was asked for.
        then = min(now, self._asked_at + _SETTLE_US)
        self._answered_at = min(then, ask.until)
        # One who tells no more than was asked for is measured by the asking's end.
        tells_more = (answer.market_at or 0) >= ask.until
        self._measure(provider, answer.market_at, then if tells_more else self._answered_at)
        market = then - self.lag_us(provider)
        over_by = min(market - _SETTLE_US, ask.until)
        stretch = Stretch(ask.timeframe, ask.since, ask.until, over_by)
        found = screen(answer.candles, stretch, self.calendar, now + _AHEAD_US)
        found.dropped["empty"] += answer.empty_rows
        items: list[Item] = [*self._gaps]
        self._gaps.clear()
        if not self._is_seeding:
            items += self._sourced(provider)
        live_from = market - _LIVE_US - interval_us
        items += self._candles(found.candles, ask.timeframe, provider, live_from)
        items += self._future(found.future, provider)
        if piece is not None:
            self._done(piece, ask)
        else:
            patience = max(_PATIENCE_US, 3 * interval_us)
            quiet = market - patience if provider in self._lags else 0
            self._reached = max(self._reached, min(max(found.seen, quiet), then))
            self._judge(provider, market)
        self._schedule(provider, now, interval_us)
        items.append(FeedReached(self.symbol, max(self._reached, self._known)))
        return Taken(items, found.dropped)

    def refused(self, provider: str, refused: Refused, interval_us: int, now: int) -> list[Item]:
        """A provider says nothing of this symbol: for a while others are asked, if there are any.

        A fill that everybody refuses for good is a gap.
        """
        self._strikes[provider] += 1
        self._schedule(provider, now, interval_us)
        if refused.lasting or self._strikes[provider] >= _STRIKES:
            self.next_at = now
            self._strikes[provider] = 0
            self._refusers.add(provider)
            if self._pieces and self._refusers >= set(self.names):
                self._give_up(self._pieces[0], refused.reason)
            else:
                self._bar(provider, now)
        items: list[Item] = [*self._gaps]
        self._gaps.clear()
        return items

    def _first(self, now: int) -> Sequence[Piece]:
        if not self._known:
            past = seeds(self.calendar, now)
            self._known = past[-1].since if past else now - now % _MINUTE
            return past
        missing = fill(self.calendar, self._known, now)
        if missing.lost_until is not None:
            told = "too long ago to be filled minute by minute"
            self._gaps.append(FeedGap(self.symbol, missing.lost_until, self._known, told))
        return missing.pieces

    def _missing_since(self, now: int) -> int | None:
        """From when on candles are to be asked for; None if there is nothing to be had."""
        running = self.calendar.at(now) or self.calendar.previous(now)
        if running is None or self._is_over(running, now):
            return None
        # Not from the session's open on: of the one before something may be missing still.
        return self._known // _MINUTE * _MINUTE

    def _is_over(self, span: Span, now: int) -> bool:
        heard = max(self._reached, self._known) >= span.end
        return span.end <= now and (heard or self._answered_at >= span.end + _AFTERWARDS_US)

    def _sourced(self, provider: str) -> list[Item]:
        if provider == self.source:
            return []
        self.source = provider
        return [FeedSource(self.symbol, self._known, provider, self.lag_us(provider) / 1000)]

    def _candles(
        self, sound: Sequence[Sound], timeframe: Timeframe, provider: str, live_from: int
    ) -> list[Item]:
        items: list[Item] = []
        for given, at in sound:
            if given.open_at < self._known // _MINUTE * _MINUTE and timeframe == "1m":
                continue
            if given.open_at < self._known:
                # Of this minute's prices some stand on the spine, and with them their volume.
                given = given._replace(volume=0.0)
            origin: Origin = "seed" if self._is_seeding else "backfill"
            # What a restart or an outage of a moment has held up is no less alive.
            if origin != "seed" and timeframe == "1m" and at >= live_from and not self._joint:
                origin = "live"
            self._joint = False
            items.append(
                FeedCandle(self.symbol, timeframe, given.open_at, at, *given[1:], provider, origin)
            )
            self._known = max(self._known, at)
            self._handed = at
        return items

    def _future(self, candles: Sequence[Given], provider: str) -> list[Item]:
        """Candles dated ahead of the clock: each is told once, and asked for again in its time."""
        items: list[Item] = []
        for given in candles:
            if given.open_at not in self._told_future:
                told = f"{provider} gave a candle of {stamp(given.open_at)}, which is yet to come"
                raw = tuple(str(x) for pair in given._asdict().items() for x in pair)
                items.append(FeedRejected(self.symbol, self._known, told, raw))
                self._told_future.add(given.open_at)
        if len(self._told_future) > _FUTURE_MAX:
            self._told_future.clear()
        return items

    def _done(self, piece: Piece, ask: Ask) -> None:
        self._refusers.clear()
        self._pieces.popleft()
        if ask.until < piece.until:
            self._pieces.appendleft(piece._replace(since=ask.until))

    def _give_up(self, piece: Piece, reason: str) -> None:
        self._refusers.clear()
        self._pieces.popleft()
        if piece.origin == "backfill":
            since = max(self._known, piece.since)
            self._gaps.append(FeedGap(self.symbol, max(since, piece.until), since, reason))
            self._known = max(self._known, piece.until // _MINUTE * _MINUTE)

    def _measure(self, provider: str, market_at: int | None, now: int) -> None:
        """How late an answer was, if its newest time lies in the session that runs."""
        span = self.calendar.at(now)
        if market_at is None or span is None or not span.open_at <= market_at < span.end:
            return
        lag = min(max(0, now - market_at), _DELAYED_MAX_US)
        self._lags.setdefault(provider, deque(maxlen=_LAGS)).append(lag)

    def _judge(self, provider: str, market: int) -> None:
        """A provider that answers and has had nothing for long is no better than one away."""
        span = self.calendar.at(market)
        if span is None or len(self.names) == 1:
            return
        if market - max(self._known, span.open_at) > _STALLED_US:
            self._bar(provider, market)
        else:
            self._bars[provider] = 0

    def _bar(self, provider: str, now: int) -> None:
        pause = min(_BARRED_US * 2 ** self._bars[provider], _BARRED_MAX_US)
        self._bars[provider] += 1
        self._barred[provider] = now + pause

    def _schedule(self, provider: str, now: int, interval_us: int) -> None:
        """Asked again at once while there are pieces, else when the next candle is over."""
        if self._pieces:
            self.next_at = now
            return
        late = self.lag_us(provider) + _SETTLE_US
        self.next_at = (now - late) // interval_us * interval_us + interval_us + late
