"""The writer of one partition's spine: it decides what stands there, in which order and number.

Only here are calendars, grace and lateness known. Everything later rests on what is written.
"""

from collections.abc import Callable, Mapping, Sequence
from math import inf
from typing import Any

import orjson

from services.ingest.domain.deadlines import Deadlines
from services.ingest.domain.faults import Fault, candle_fault, tick_fault
from services.ingest.domain.instruments import InstrumentTable
from services.ingest.domain.items import (
    START,
    Cursor,
    FeedCandle,
    FeedGap,
    FeedReached,
    FeedRejected,
    FeedSource,
    FeedTick,
    FeedTime,
    Item,
)
from services.ingest.domain.lane import NEVER, Lane
from services.ingest.domain.rejections import Rejections
from services.ingest.domain.sessions import minute
from services.ingest.domain.versions import CONFIG_FIELD, INSTRUMENT, Versions
from shared.events import CandleIn, Close, Config, ConfigRequested, Event, Gap, Heartbeat, Source
from shared.events.spine import PARTITION_SYMBOL, Tick
from shared.events.trusted import trusted
from shared.market.timeframes import Timeframe

SPINE_FIELD = "@spine"
Input = Item | ConfigRequested


class SpineWriter:
    """Turns a partition's feed items and configuration requests into spine entries.

    The same items in the same order, cut into any batches, give the same entries, numbered from 1
    without gaps. What is not taken becomes a dead letter, which has no number.

    State: ``@spine`` holds position, time, heartbeat and the count of rejections, ``@config`` the
    versions in force, each symbol's field its open windows and its cursor.
    """

    def __init__(self, table: InstrumentTable, state: Mapping[str, str]) -> None:
        spine = orjson.loads(state.get(SPINE_FIELD, "{}"))
        self.pos: int = spine.get("pos", 0)
        self.time: int = spine.get("time", 0)
        self.rejections = Rejections(spine.get("rejected", 0))
        self._table = table
        self._beat: int = spine.get("beat", NEVER)
        self._strays = Cursor(*spine.get("strays", START))
        self._versions = Versions(state.get(CONFIG_FIELD, "{}"))
        self._lanes = {
            symbol: Lane.load(text, instrument)
            for symbol, text in state.items()
            if (instrument := table.find(symbol)) is not None
        }
        self.deadlines = Deadlines(self._lanes.values())
        self._dirty: set[str] = set()
        self._out: list[Event] = []
        self._handlers: dict[type[Any], Callable[[Any], None]] = {
            FeedTick: self._tick,
            FeedCandle: self._candle,
            FeedTime: self._reach,
            FeedReached: self._reach_symbol,
            FeedSource: self._source,
            FeedGap: self._gap,
            FeedRejected: self._stray,
            ConfigRequested: self._requested,
        }

    def cursors(self) -> dict[str, Cursor]:
        """Where a feed that is started again has to go on, by symbol; ``*`` is for the rest."""
        found = {symbol: lane.cursor for symbol, lane in self._lanes.items()}
        found[PARTITION_SYMBOL] = self._strays
        return {symbol: cursor for symbol, cursor in found.items() if cursor != START}

    def forget_cursors(self) -> None:
        """Another feed takes over: nothing of it has been handed over yet."""
        self._strays = START
        for lane in self._lanes.values():
            lane.cursor_at, lane.cursor_n = START
        self._dirty |= {SPINE_FIELD, *self._lanes}

    def process(self, items: Sequence[Input]) -> list[Event]:
        """The entries and dead letters that follow from the next items, in order."""
        out = self._out = []
        lanes, handlers, dirty = self._lanes, self._handlers, self._dirty
        for item in items:
            if type(item) is FeedTick:
                lane = lanes.get(item[0])
                # The hot path: a fair price inside the open minute needs nothing else.
                if (
                    lane is not None
                    and lane.floor <= item[1] < lane.minute_end
                    and 0 < item[2] < inf
                    and 0 <= item[3] < inf
                ):
                    lane.count(item[1])
                    dirty.add(item[0])
                    self._put_tick(lane, item)
                    continue
            handlers[type(item)](item)
        if items:
            dirty.add(SPINE_FIELD)
        return out

    def changes(self) -> dict[str, str]:
        """The state fields changed since the last call."""
        changed = {name: self._saved(name) for name in sorted(self._dirty)}
        self._dirty.clear()
        return changed

    def _saved(self, name: str) -> str:
        if name == CONFIG_FIELD:
            return self._versions.save()
        if name != SPINE_FIELD:
            return self._lanes[name].save()
        spine = {
            "pos": self.pos,
            "time": self.time,
            "beat": self._beat,
            "rejected": self.rejections.total,
            "strays": tuple(self._strays),
        }
        return orjson.dumps(spine).decode()

    def _tick(self, tick: FeedTick) -> None:
        lane = self._counted(tick)
        if lane is None or self._refused(tick, tick_fault(lane, tick)):
            return
        self._enter(lane, tick.at)
        if lane.minute_end == NEVER:
            self._open(lane, tick.at, "1m")
        self._put_tick(lane, tick)

    def _put_tick(self, lane: Lane, tick: FeedTick) -> None:
        self.pos += 1
        symbol, at, price, size, source = tick
        fields = {
            "symbol": symbol,
            "at": at,
            "pos": self.pos,
            "price": price,
            "size": size,
            "source": source,
            "n": lane.n,
        }
        self._out.append(trusted(Tick, fields))
        lane.n += 1

    def _candle(self, candle: FeedCandle) -> None:
        lane = self._counted(candle)
        if lane is None or self._refused(candle, candle_fault(lane, candle)):
            return
        self._enter(lane, candle.open_at)
        self._open(lane, candle.open_at, candle.timeframe)
        self._out.append(CandleIn(pos=self._next(), **candle._asdict()))
        # All up to its end is known now: what ends there need not wait for a later price.
        self._close(lane, candle.at)
        lane.floor = candle.at

    def _reach(self, reached: FeedTime) -> None:
        if reached.at <= self.time:
            return
        for lane in self.deadlines.reached(reached.at):
            self._close(lane, reached.at - lane.grace)
            self._dirty.add(lane.symbol)
        self._tell_time(reached)

    def _tell_time(self, told: FeedTime | FeedReached) -> None:
        if told.at <= self.time:
            return
        self.time = told.at
        beat = minute(told.at)
        if beat > self._beat:
            self._beat = beat
            self._out.append(Heartbeat(symbol=PARTITION_SYMBOL, at=beat, pos=self._next()))

    def _reach_symbol(self, reached: FeedReached) -> None:
        if reached.symbol == PARTITION_SYMBOL:
            self._tell_time(reached)
        lane = self._lanes.get(reached.symbol)
        if lane is not None and lane.windows:
            self._close(lane, reached.at - lane.grace)
            self._dirty.add(lane.symbol)

    def _source(self, source: FeedSource) -> None:
        lane = self._counted(source)
        if lane is not None:
            self._introduce(lane, source.at)
            self._out.append(Source(pos=self._next(), **source._asdict()))

    def _gap(self, gap: FeedGap) -> None:
        lane = self._counted(gap)
        if lane is not None:
            self._introduce(lane, gap.at)
            self._out.append(Gap(pos=self._next(), **gap._asdict()))

    def _stray(self, stray: FeedRejected) -> None:
        if self._table.find(stray.symbol) is None:
            self._strays = self._strays.after(stray.at)
        else:
            self._lane(stray.symbol).count(stray.at)
        self._refused(stray, Fault("unreadable", stray.reason))

    def _requested(self, request: ConfigRequested) -> None:
        if request.kind == INSTRUMENT:
            told = "instruments come from ingest's instrument file, not through the inbox"
            self._refused(request, Fault("refused", told))
        elif self._versions.renew(request.kind, request.name, request.version):
            fields = request.model_dump(exclude={"pos", "at"})
            at = request.at if self.time == 0 else self.time
            self._out.append(Config(at=at, pos=self._next(), **fields))
            self._dirty.add(CONFIG_FIELD)

    def _enter(self, lane: Lane, at: int) -> None:
        """Before the symbol's next entry: what ended before it, and what it is."""
        self._close(lane, at)
        self._introduce(lane, at)

    def _introduce(self, lane: Lane, at: int) -> None:
        if lane.introduced:
            return
        lane.introduced = True
        body = lane.instrument.model_dump(mode="json")
        version = self._versions.digest(body)
        if self._versions.renew(INSTRUMENT, lane.symbol, version):
            self._dirty.add(CONFIG_FIELD)
            self._out.append(
                Config(
                    symbol=lane.symbol,
                    at=at,
                    pos=self._next(),
                    kind=INSTRUMENT,
                    name=lane.symbol,
                    version=version,
                    body=body,
                )
            )

    def _open(self, lane: Lane, at: int, smallest: Timeframe) -> None:
        span = lane.calendar.at(at)
        assert span is not None, "faults are told before"
        lane.open(at, span, smallest)
        self.deadlines.put(lane)

    def _close(self, lane: Lane, until: int) -> None:
        for ending in lane.end(until):
            session_at, session_end_at = ending.session
            following = ending.following or (None, None)
            self._out.append(
                Close(
                    symbol=lane.symbol,
                    at=ending.at,
                    pos=self._next(),
                    session_at=session_at,
                    windows=ending.windows,
                    session_end_at=session_end_at,
                    next_session_at=following[0],
                    next_session_end_at=following[1],
                )
            )
        self.deadlines.put(lane)

    def _next(self) -> int:
        self.pos += 1
        return self.pos

    def _counted(self, item: FeedTick | FeedCandle | FeedSource | FeedGap) -> Lane | None:
        """The item's lane with the item counted; None, and a dead letter, if nobody knows it."""
        if self._table.find(item.symbol) is None:
            self._strays = self._strays.after(item.at)
            self._refused(item, Fault("unknown", self._table.complaint(item.symbol)))
            return None
        lane = self._lane(item.symbol)
        lane.count(item.at)
        return lane

    def _lane(self, symbol: str) -> Lane:
        self._dirty.add(symbol)
        lane = self._lanes.get(symbol)
        if lane is None:
            lane = self._lanes[symbol] = Lane(self._table.get(symbol))
        return lane

    def _refused(self, item: Input, fault: Fault | None) -> bool:
        if fault is None:
            return False
        self._out.append(self.rejections.reject(item, fault.why, fault.reason, self.pos))
        return True
