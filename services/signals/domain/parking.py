"""What a candle rule sees of its own symbol at a close, kept until the other symbols' is known."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.signals.domain.conditions import AtClose
from services.signals.domain.correlating import Ring, correlation
from services.signals.domain.hours import SessionSpan
from services.signals.domain.others import Numbers, Others
from services.signals.domain.series import PARTS, Correlated, Read
from services.signals.domain.truth import SeenZone
from shared.events.base import stamp
from shared.events.candle import Origin
from shared.market.timeframes import Timeframe

Zones = tuple[SeenZone, ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A symbol at the close of one candle, which ended at ``at``; ``since`` is when the last
    candle that the rule may fire once in had ended before it."""

    at: int
    pos: int
    origin: Origin
    session: SessionSpan | None
    since: int
    numbers: Mapping[Timeframe, Numbers]
    zones: Mapping[Timeframe, Zones]

    def kept_for(self, when: AtClose) -> "Snapshot":
        """What a condition will ask of it, and no more."""
        wanted: dict[Timeframe, set[str]] = {when.timeframe: set(PARTS)}
        for frame, series in when.reads():
            if series.symbol is None:
                wanted.setdefault(frame, set()).add(series.key)
        numbers = {
            frame: {key: number for key, number in self.numbers[frame].items() if key in keys}
            for frame, keys in wanted.items()
            if frame in self.numbers
        }
        zones = {
            frame: self.zones[frame] for frame in when.zone_timeframes() if frame in self.zones
        }
        return Snapshot(self.at, self.pos, self.origin, self.session, self.since, numbers, zones)

    def save(self) -> list[Any]:
        """The snapshot as JSON values."""
        return [
            self.at, self.pos, self.origin, self.session, self.since, self.numbers, self.zones
        ]  # fmt: skip

    @classmethod
    def load(cls, saved: list[Any]) -> "Snapshot":
        """The snapshot that ``save`` wrote down."""
        at, pos, origin, session, since, numbers, zones = saved
        span = None if session is None else SessionSpan(*session)
        seen = {frame: tuple(SeenZone(*zone) for zone in rows) for frame, rows in zones.items()}
        return cls(at, pos, origin, span, since, numbers, seen)


@dataclass(frozen=True, slots=True)
class Look:
    """A snapshot, and the other symbols as they are known by now: what an evaluation sees."""

    when: AtClose
    snapshot: Snapshot
    others: Others
    rings: dict[str, Ring]
    tick: float

    @property
    def moment(self) -> int:
        """The last moment of the candle."""
        return self.snapshot.at - 1

    @property
    def session(self) -> SessionSpan | None:
        """The candle's session."""
        return self.snapshot.session

    def number(self, series: Read) -> float | None:
        """A series' number, or None while there is none."""
        frame = series.timeframe or self.when.timeframe
        if isinstance(series, Correlated):
            return self._correlation(series)
        if series.symbol is None:
            return self.snapshot.numbers.get(frame, {}).get(series.key)
        frames = (frame, self.when.timeframe)
        numbers = self.others.numbers(series.symbol, frames, self.snapshot.at)
        return None if numbers is None else numbers.get(series.key)

    def absence(self, series: Read) -> str:
        """What a rule waits for where a series has no number."""
        if not isinstance(series, Correlated):
            return series.label
        pairs = len(self.rings[series.key].until(self.snapshot.at, series))
        if pairs < series.pairs_needed:
            return f"{series.label} ({pairs} of {series.pairs_needed} pairs)"
        return series.label

    def zones(self, timeframe: Timeframe | None) -> Zones | None:
        """A timeframe's zones, or None while nobody has told."""
        return self.snapshot.zones.get(timeframe or self.when.timeframe)

    def pair_up(self) -> None:
        """Add this candle, and the other symbol's of the same moment, to the correlations."""
        for _, series in self.when.reads():
            if isinstance(series, Correlated):
                other = self._other_close(series)
                if other is not None:
                    own = self.snapshot.numbers[self.when.timeframe]["close"]
                    self.rings[series.key].add((self.snapshot.at, own, other), series)

    def unknown_yet(self) -> list[str]:
        """The candles of other symbols of which it is not known yet whether they exist."""
        frames = {
            (series.symbol, frame): None
            for frame, series in self.when.reads()
            if series.symbol is not None
        }
        return [
            f"{symbol} {frame} candle of {stamp(self.snapshot.at)}"
            for symbol, frame in frames
            if self.others.until(symbol, frame) < self.snapshot.at
        ]

    def _correlation(self, series: Correlated) -> float | None:
        if self._other_close(series) is None:
            return None
        pairs = self.rings[series.key].until(self.snapshot.at, series)
        return None if len(pairs) < series.pairs_needed else correlation(pairs, series)

    def _other_close(self, series: Correlated) -> float | None:
        at = self.snapshot.at
        numbers = self.others.exactly(series.symbol, self.when.timeframe, at)
        return None if numbers is None else numbers.get("close")
