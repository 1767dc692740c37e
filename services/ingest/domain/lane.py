"""What the spine's writer keeps of one symbol: its open windows, and how far its prices are."""

from collections.abc import Iterator

import orjson

from services.ingest.domain.items import START, Cursor
from services.ingest.domain.sessions import SessionCalendar, Span, window
from shared.events.spine import Window
from shared.market.instruments import Instrument
from shared.market.timeframes import TIMEFRAMES, Timeframe

_MS = 1_000
NEVER = -1

Bounds = tuple[int, int | None]
"""A session's open and end."""


class Ending:
    """Windows of one symbol that end together; ``following`` is set where their session ends."""

    __slots__ = ("at", "following", "session", "windows")

    def __init__(self, at: int, session: Bounds, windows: tuple[Window, ...]) -> None:
        self.at = at
        self.session = session
        self.windows = windows
        self.following: Bounds | None = None


class Lane:
    """One symbol's place in time.

    ``floor`` is the earliest time that is still open, ``minute_end`` the end of the open 1m window
    (``NEVER`` if none is open), ``n`` the number of its ticks, ``due`` when the clock may close the
    next window. The hot path reads them directly: while ``floor <= at < minute_end`` nothing else
    has to be asked.
    """

    __slots__ = (
        "_session",
        "calendar",
        "cursor_at",
        "cursor_n",
        "due",
        "floor",
        "grace",
        "instrument",
        "introduced",
        "minute_end",
        "n",
        "symbol",
        "windows",
    )

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument
        self.symbol = instrument.symbol
        self.calendar = SessionCalendar(instrument.session)
        self.grace = instrument.grace_ms * _MS
        self.introduced = False
        self.windows: dict[Timeframe, tuple[int, int]] = {}
        self.floor = 0
        self.minute_end = NEVER
        self.n = 0
        self.due = NEVER
        self.cursor_at, self.cursor_n = START
        self._session: Bounds = (0, None)

    @property
    def cursor(self) -> Cursor:
        """How far the feed has handed this symbol's items over."""
        return Cursor(self.cursor_at, self.cursor_n)

    def count(self, at: int) -> None:
        """One more item of this symbol was handed over."""
        if at > self.cursor_at:
            self.cursor_at, self.cursor_n = at, 1
        else:
            self.cursor_n += 1

    def open(self, at: int, span: Span, smallest: Timeframe) -> None:
        """Open the windows around an instant, from the smallest timeframe on, that are not."""
        self._session = (span.open_at, span.end)
        for timeframe in TIMEFRAMES[TIMEFRAMES.index(smallest) :]:
            if timeframe not in self.windows:
                self.windows[timeframe] = window(timeframe, at, span)
        if smallest == "1m":
            open_at, self.minute_end = self.windows["1m"]
            self.floor = max(self.floor, open_at)
        self._schedule()

    def end(self, until: int) -> Iterator[Ending]:
        """Close the windows that end at or before ``until``, the earliest end first."""
        while self.windows:
            at = min(end for _, end in self.windows.values())
            if at > until:
                break
            yield self._end(at)
        self._schedule()

    def save(self) -> str:
        """The state as JSON text."""
        return orjson.dumps(
            {
                "cursor": [self.cursor_at, self.cursor_n],
                "floor": self.floor,
                "n": self.n,
                "session": self._session,
                "windows": self.windows,
            }
        ).decode()

    @classmethod
    def load(cls, text: str, instrument: Instrument) -> "Lane":
        """The lane that ``save`` wrote down."""
        saved = orjson.loads(text)
        lane = cls(instrument)
        lane.cursor_at, lane.cursor_n = saved["cursor"]
        lane.floor, lane.n = saved["floor"], saved["n"]
        open_at, end = saved["session"]
        lane._session = (open_at, end)
        lane.windows = {
            timeframe: (open_at, end) for timeframe, (open_at, end) in saved["windows"].items()
        }
        lane.minute_end = lane.windows.get("1m", (NEVER, NEVER))[1]
        lane._schedule()
        return lane

    def _end(self, at: int) -> Ending:
        ended = tuple(
            Window(timeframe=timeframe, open_at=self.windows.pop(timeframe)[0])
            for timeframe in TIMEFRAMES
            if timeframe in self.windows and self.windows[timeframe][1] == at
        )
        if "1m" not in self.windows:
            self.minute_end, self.n = NEVER, 0
        self.floor = max(self.floor, at)
        ending = Ending(at, self._session, ended)
        if ended[-1].timeframe == "1d":
            following = self.calendar.next(at)
            ending.following = None if following is None else (following.open_at, following.end)
        return ending

    def _schedule(self) -> None:
        ends = [end for _, end in self.windows.values()]
        self.due = min(ends) + self.grace if ends else NEVER
