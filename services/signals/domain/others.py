"""What is known of other symbols, for rules that look at them: readings relayed onto the spine.

A rule joins by event time: at a candle that ended at T it sees the other symbol's candle of T. So
it must be known whether there is one, and until then the evaluation is parked. See
docs/decisions/0016-readings-of-other-symbols-stand-on-the-spine.md.
"""

from bisect import bisect_left, bisect_right
from typing import Annotated, Any, NamedTuple

import orjson
from pydantic import Field, ValidationError

from shared.events import Config
from shared.events.base import Finite, Micros, Symbol, Value
from shared.events.candle import Origin
from shared.events.codec import first_reason
from shared.market.timeframes import LENGTH_US, TIMEFRAMES, Timeframe

RELAYED = "relayed"
# Rows that are kept of a timeframe where nobody has come to them yet; the oldest go first.
ROWS_MAX = 2_000
# So much later than the time on the spine may a symbol's own candle be closed: its provider's
# delay, and what an outage adds to it.
_LATE_US = 60 * 60 * 1_000_000
Numbers = dict[str, float]
Pair = tuple[int, float, float]
"""A moment, and the closes at it: the rule's symbol's, and the other's."""


class Relayed(Value):
    """The body of a ``config`` entry of kind ``relayed``: what another symbol's reading said.

    Without ``numbers`` there is no candle; everything of the timeframe up to ``at`` is known.
    ``pairs`` brings the past of correlations, by the symbol that a rule is decided on.
    """

    symbol: Symbol
    timeframe: Timeframe
    at: Micros
    origin: Origin = "live"
    numbers: dict[str, Finite] = Field(default_factory=dict)
    pairs: dict[Symbol, Annotated[list[Pair], Field(max_length=2_000)]] = Field(
        default_factory=dict
    )

    @classmethod
    def of(cls, config: Config) -> "Relayed":
        """What an entry says.

        Raises:
            ValueError: the body is none.
        """
        try:
            return cls.model_validate(config.body)
        except ValidationError as error:
            raise ValueError(f"relayed {config.name}: {first_reason(error)}") from error


class Row(NamedTuple):
    """A candle's end and its numbers."""

    at: int
    numbers: Numbers


class Track:
    """One other symbol's timeframe: its rows by time, and up to when all of them are known."""

    __slots__ = ("rows", "until")

    def __init__(self, until: int = 0, rows: list[Row] | None = None) -> None:
        self.until = until
        self.rows: list[Row] = [] if rows is None else rows

    def take(self, relayed: Relayed) -> None:
        """Take a reading in; what was said of a moment stays, more can be added to it."""
        self.until = max(self.until, relayed.at)
        if not relayed.numbers:
            return
        place = bisect_left(self.rows, relayed.at, key=lambda row: row.at)
        if place < len(self.rows) and self.rows[place].at == relayed.at:
            known = self.rows[place].numbers
            self.rows[place] = Row(relayed.at, relayed.numbers | known)
        else:
            self.rows.insert(place, Row(relayed.at, relayed.numbers))
        del self.rows[:-ROWS_MAX]

    def at(self, moment: int) -> Row | None:
        """The last row that ended at this moment or before."""
        place = bisect_right(self.rows, moment, key=lambda row: row.at)
        return self.rows[place - 1] if place else None

    def forget(self, before: int) -> bool:
        """Let go of what ended before, but for the last of it; whether there was anything."""
        surplus = bisect_left(self.rows, before, key=lambda row: row.at) - 1
        if surplus > 0:
            del self.rows[:surplus]
        return surplus > 0


class Others:
    """Tracks by symbol and timeframe."""

    __slots__ = ("_dirty", "_tracks")

    def __init__(self) -> None:
        self._tracks: dict[str, dict[Timeframe, Track]] = {}
        self._dirty: set[str] = set()

    @property
    def is_empty(self) -> bool:
        """Whether nothing was ever relayed."""
        return not self._tracks

    def take(self, relayed: Relayed) -> None:
        """Take a reading in."""
        tracks = self._tracks.setdefault(relayed.symbol, {})
        tracks.setdefault(relayed.timeframe, Track()).take(relayed)
        self._dirty.add(relayed.symbol)

    def until(self, symbol: str, timeframe: Timeframe) -> int:
        """Up to when all candles of a symbol's timeframe are known; 0 if nobody has told."""
        track = self._track(symbol, timeframe)
        return 0 if track is None else track.until

    def numbers(self, symbol: str, frames: tuple[Timeframe, Timeframe], at: int) -> Numbers | None:
        """What a rule sees of a symbol's timeframe, the first one, at a moment; None: nothing.

        A timeframe longer than the rule's own, the second one, is read as it stands. Of others the
        last candle counts only if it ended less than its own length before.
        """
        timeframe, own = frames
        track = self._track(symbol, timeframe)
        row = None if track is None else track.at(at)
        if row is None:
            return None
        longer = TIMEFRAMES.index(timeframe) > TIMEFRAMES.index(own)
        return row.numbers if longer or at - row.at < LENGTH_US[timeframe] else None

    def exactly(self, symbol: str, timeframe: Timeframe, at: int) -> Numbers | None:
        """The numbers of the candle that ended at this very moment, if there is one."""
        track = self._track(symbol, timeframe)
        row = None if track is None else track.at(at)
        return row.numbers if row is not None and row.at == at else None

    def forget(self, before: int) -> None:
        """Let go of rows that nobody will ask for any more."""
        for symbol, tracks in self._tracks.items():
            for timeframe, track in tracks.items():
                if track.forget(before - _LATE_US - LENGTH_US[timeframe]):
                    self._dirty.add(symbol)

    def changes(self) -> dict[str, str]:
        """The state as JSON texts by symbol, of those that have changed since the last call."""
        changed = {
            symbol: orjson.dumps(
                {
                    frame: [track.until, [list(row) for row in track.rows]]
                    for frame, track in self._tracks[symbol].items()
                }
            ).decode()
            for symbol in sorted(self._dirty)
        }
        self._dirty = set()
        return changed

    def load(self, symbol: str, text: str) -> None:
        """Go on from what ``changes`` gave."""
        saved: dict[Timeframe, Any] = orjson.loads(text)
        self._tracks[symbol] = {
            frame: Track(until, [Row(*row) for row in rows])
            for frame, (until, rows) in saved.items()
        }

    def _track(self, symbol: str, timeframe: Timeframe) -> Track | None:
        return self._tracks.get(symbol, {}).get(timeframe)
