"""The simulated market: a pure function of seed, symbol and time.

Log prices walk at random, session by session, with each minute's variance from the instrument's
rhythm and a jump between sessions. At the moment the demonstration starts, a few liquid
instruments are led (by a small even drift through their running session) to just beside the
nearest level of their last complete session, so that there is something to see at once. From
there on the walk is free.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from services.ingest.adapters.feeds.demo.chance import TICKS_A_MINUTE, lots, normals, offsets
from services.ingest.adapters.feeds.demo.profiles import (
    PROFILES,
    Floats,
    Profile,
    independent_part,
    rhythm_weights,
)
from services.ingest.domain.sessions import SessionCalendar, Span
from shared.events.base import MICROS_PER_MINUTE
from shared.market.instruments import Instrument

# Sessions simulated before the one that runs at the start: three to seed, one before them so that
# the first seeded session opens with a jump like any other.
SEEDED_SESSIONS = 3
# Led to their levels: open at the start, and traded by many.
LED = ("EURUSD", "XAUUSD", "DAX", "NDX", "MES")
# How far from the level the led ones start, in standard deviations of the next minute's move.
_LED_APART = 0.3
# The jump between sessions against a session's own standard deviation.
_JUMP = 0.3
_MILLISECOND = 1_000
# Sessions whose walks are kept: symbols ask for each other's, at most the seeded ones apart.
_WALKS_KEPT = SEEDED_SESSIONS + 3


class Ticks(NamedTuple):
    """A session's ticks as columns: times in µs, prices on the instrument's grid, sizes."""

    at: npt.NDArray[np.int64]
    price: Floats
    size: Floats


@dataclass(frozen=True, slots=True)
class _Walk:
    """One session's log prices, one a tick, and where the next session takes over."""

    span: Span
    logs: Floats


class DemoMarket:
    """Prices of one seed around one starting time (µs UTC, a whole minute)."""

    def __init__(self, seed: int, start: int, instruments: Mapping[str, Instrument]) -> None:
        self.start = start
        self._seed = seed
        self._instruments = instruments
        self._calendars = {s: SessionCalendar(i.session) for s, i in instruments.items()}
        self._walks: dict[str, list[_Walk]] = {}
        self._latest: dict[str, tuple[Span, Ticks]] = {}

    def sessions(self, symbol: str, since: int, until: int) -> Iterator[Span]:
        """The instrument's sessions that have a part in ``[since, until)``, none before seeds."""
        first = self._first(symbol)
        return self._calendars[symbol].between(max(since, first.open_at), until)

    def ticks(self, symbol: str, span: Span) -> Ticks:
        """Every tick of a session."""
        remembered = self._latest.get(symbol)
        if remembered is None or remembered[0] != span:
            remembered = self._latest[symbol] = (span, self._ticks(symbol, span))
        return remembered[1]

    def _ticks(self, symbol: str, span: Span) -> Ticks:
        walk = self._walk(symbol, span)
        first, count = _minutes(span)
        instrument, profile = self._instruments[symbol], PROFILES[symbol]
        minutes = (first + np.arange(count)) * MICROS_PER_MINUTE
        parts = offsets(self._seed, symbol, first, count) * MICROS_PER_MINUTE
        at = (minutes[:, None] + parts.astype(np.int64)).reshape(-1)
        sizes = np.ceil(lots(self._seed, symbol, first, count).reshape(-1) * profile.lots)
        steps = np.round(np.exp(walk.logs) / instrument.tick_size)
        price = np.round(steps * instrument.tick_size, instrument.decimals)
        return Ticks(at // _MILLISECOND * _MILLISECOND, price, sizes)

    def _first(self, symbol: str) -> Span:
        """The oldest session that is simulated."""
        calendar = self._calendars[symbol]
        span = calendar.previous(self.start)
        for _ in range(SEEDED_SESSIONS - 1):
            assert span is not None, symbol
            span = calendar.previous(span.open_at)
        assert span is not None, symbol
        return span

    def _walk(self, symbol: str, span: Span) -> _Walk:
        """The session's walk; all sessions before it are walked first, once."""
        walks = self._walks.setdefault(symbol, [])
        if walks and span.open_at < walks[0].span.open_at:
            # Forgotten meanwhile: every walk starts from the one before, so walk it all again.
            walks.clear()
        since = walks[-1].span.end if walks else 0
        for session in self.sessions(symbol, since, span.end):
            walks.append(self._next_walk(symbol, session, walks))
            del walks[:-_WALKS_KEPT]
        return next(walk for walk in walks if walk.span.open_at == span.open_at)

    def _next_walk(self, symbol: str, span: Span, before: list[_Walk]) -> _Walk:
        last = np.log(PROFILES[symbol].price) if not before else before[-1].logs[-1]
        logs = last + np.cumsum(self._moves(symbol, span))
        if before and symbol in LED and span.open_at <= self.start < span.end:
            logs = logs + self._lead(symbol, span, logs, before[-1])
        return _Walk(span, logs)

    def _moves(self, symbol: str, span: Span) -> Floats:
        """Log returns tick by tick, the jump from the session before in the first."""
        profile = PROFILES[symbol]
        if symbol == "EURGBP":
            return self._cross_moves(span)
        first, count = _minutes(span)
        minutes = first + np.arange(count)
        deviation = profile.daily * np.sqrt(rhythm_weights(profile.rhythm, minutes))
        chance = self._chance(symbol, profile, first, count)
        moves: Floats = (chance * deviation[:, None] / np.sqrt(TICKS_A_MINUTE)).reshape(-1)
        jump = normals(self._seed, f"{symbol}/jump", first, 1)[0, 0]
        moves[0] += _JUMP * profile.daily * jump * (profile.rhythm == "exchange")
        return moves

    def _cross_moves(self, span: Span) -> Floats:
        euro, pound = (self._walk(symbol, span).logs for symbol in ("EURUSD", "GBPUSD"))
        before = self._calendars["EURUSD"].previous(span.open_at)
        seeded = before is not None and before.open_at >= self._first("EURUSD").open_at
        if seeded and before is not None:
            last = [self._walk(symbol, before).logs[-1] for symbol in ("EURUSD", "GBPUSD")]
        else:
            last = [np.log(PROFILES[symbol].price) for symbol in ("EURUSD", "GBPUSD")]
        moves: Floats = np.diff(euro - pound, prepend=last[0] - last[1])
        return moves

    def _chance(self, symbol: str, profile: Profile, first: int, count: int) -> Floats:
        shared = normals(self._seed, profile.factor, first, count)
        if profile.factor == "MES":
            shared = self._chance("MES", PROFILES["MES"], first, count)
        own = normals(self._seed, symbol, first, count)
        mixed: Floats = profile.loading * shared + independent_part(profile.loading) * own
        return mixed

    def _lead(self, symbol: str, span: Span, logs: Floats, before: _Walk) -> Floats:
        """An even drift up to the start that ends just beside the nearest level."""
        first, count = _minutes(span)
        reached = (self.start // MICROS_PER_MINUTE - first) * TICKS_A_MINUTE
        if reached <= 0:
            return np.zeros_like(logs)
        past = np.exp(before.logs)
        levels = np.log(_levels(past.max(), past.min(), past[-1]))
        now = logs[reached - 1]
        nearest = levels[np.abs(levels - now).argmin()]
        profile = PROFILES[symbol]
        shares = rhythm_weights(profile.rhythm, first + np.arange(count))
        minute = profile.daily * np.sqrt(shares[reached // TICKS_A_MINUTE])
        side = 1.0 if now >= nearest else -1.0
        drift = nearest + side * _LED_APART * minute - now
        led: Floats = drift * np.minimum(np.arange(1, len(logs) + 1) / reached, 1.0)
        return led


def _levels(high: float, low: float, close: float) -> Floats:
    """Yesterday's high and low and the classic pivots next to them."""
    pivot = (high + low + close) / 3
    return np.array([high, low, pivot, 2 * pivot - low, 2 * pivot - high])


def _minutes(span: Span) -> tuple[int, int]:
    """A session's first minute since 1970, and how many it has."""
    first = span.open_at // MICROS_PER_MINUTE
    return first, (span.end - span.open_at) // MICROS_PER_MINUTE
