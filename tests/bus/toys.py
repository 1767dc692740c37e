"""Small stages and events for tests of the log: they count ticks, and sum what was counted."""

from collections.abc import Mapping, Sequence

from shared.bus.log import Commit, Lease, Log
from shared.bus.outputs import outputs_of
from shared.bus.step import StageSpec, State
from shared.events import (
    Candle,
    CandleClosed,
    Close,
    Event,
    Heartbeat,
    LevelComputed,
    SignalGenerated,
    Tick,
    Window,
)
from shared.events.ticks import Ticks

MINUTE = 60_000_000
# None runs out by itself, however long the machine stands still.
TTL_MS = 600_000


def tick(pos: int, price: float = 1.0, symbol: str = "S", at: int | None = None) -> Tick:
    """A tick one second after the one before it."""
    when = pos * 1_000_000 if at is None else at
    return Tick(symbol=symbol, at=when, pos=pos, price=price, size=0, source="test", n=0)


def close(pos: int, minute: int, symbol: str = "S") -> Close:
    """The end of the one-minute window number ``minute``."""
    window = Window(timeframe="1m", open_at=(minute - 1) * MINUTE)
    return Close(symbol=symbol, at=minute * MINUTE, pos=pos, session_at=0, windows=(window,))


def heartbeat(pos: int) -> Heartbeat:
    """A quiet partition's sign of life."""
    return Heartbeat(symbol="*", at=pos * 1_000_000, pos=pos)


class Counter:
    """Counts a symbol's ticks; at a close says how many as a candle's volume."""

    def __init__(self, state: State) -> None:
        self._counts = {symbol: int(text) for symbol, text in state.items()}
        self._dirty: set[str] = set()

    def process(self, events: Sequence[Event]) -> list[Event]:
        outputs: list[Event] = []
        for event in events:
            if isinstance(event, Tick):
                if event.price == 666:
                    raise ValueError("the price of the beast")
                self._counts[event.symbol] = self._counts.get(event.symbol, 0) + 1
                self._dirty.add(event.symbol)
            elif isinstance(event, Close):
                outputs.append(self._candle(event))
        return outputs

    def ticks(self, run: Ticks) -> list[Event]:
        return self.process(run.models())

    def changes(self) -> dict[str, str]:
        dirty, self._dirty = self._dirty, set()
        return {symbol: str(self._counts[symbol]) for symbol in sorted(dirty)}

    def _candle(self, event: Close) -> CandleClosed:
        return CandleClosed(
            symbol=event.symbol,
            at=event.at,
            pos=event.pos,
            timeframe="1m",
            open_at=event.windows[0].open_at,
            session_at=0,
            open=1,
            high=1,
            low=1,
            close=1,
            volume=self._counts.get(event.symbol, 0),
            ticks=0,
            source="test",
            origin="live",
            cause=event.id,
        )


class Leveller:
    """Passes each candle on as a level reading."""

    def __init__(self, state: State) -> None:
        assert not state

    def process(self, events: Sequence[Event]) -> list[Event]:
        return [self._level(event) for event in events if isinstance(event, CandleClosed)]

    def changes(self) -> dict[str, str]:
        return {}

    def _level(self, event: CandleClosed) -> LevelComputed:
        return LevelComputed(
            symbol=event.symbol,
            at=event.at,
            pos=event.pos,
            timeframe="1m",
            session_at=0,
            origin="live",
            candle=Candle(**event.candle.model_dump()),
            levels=(),
            values={"count": event.volume},
            zones=(),
            cause=event.id,
        )


class Teller:
    """After every close, tells for each later tick which reading was in force."""

    def __init__(self, state: State) -> None:
        self._latest = float(state.get("@latest", "0"))

    def process(self, events: Sequence[Event]) -> list[Event]:
        outputs: list[Event] = []
        for event in events:
            if isinstance(event, LevelComputed):
                self._latest = event.values["count"]
            elif isinstance(event, Tick):
                outputs.append(self._signal(event))
        return outputs

    def ticks(self, run: Ticks) -> list[Event]:
        return self.process(run.models())

    def changes(self) -> dict[str, str]:
        return {"@latest": repr(self._latest)}

    def _signal(self, event: Tick) -> SignalGenerated:
        return SignalGenerated(
            symbol=event.symbol,
            at=event.at,
            pos=event.pos,
            config="test",
            rule="tell",
            rule_version="1",
            action="touch",
            direction="long",
            timeframe="1m",
            level="none",
            level_price=self._latest,
            price=event.price,
            gap=False,
            operands={},
            reason="told",
            expires_at=None,
            cause=event.id,
        )


COUNT = StageSpec("candles", primary="tick", output="candle_closed", restore=Counter)
LEVEL = StageSpec("indicators", primary="candle_closed", output="level_computed", restore=Leveller)
TELL = StageSpec(
    "signals",
    primary="tick",
    output="signal_generated",
    restore=Teller,
    joined="level_computed",
)


async def lease(log: Log, worker: str = "w") -> Lease:
    """Take partition 0 of the candles stage."""
    taken = await log.acquire("candles", 0, worker, TTL_MS)
    assert isinstance(taken, Lease), taken
    return taken


def commit(
    held: Lease,
    seq: int,
    events: Sequence[Event] = (),
    *,
    txid: str | None = None,
    state: Mapping[str, str] | None = None,
) -> Commit:
    """A commit of partition 0's candles stage."""
    return Commit(
        stage="candles",
        partition=0,
        token=held.token,
        seq=seq,
        txid=f"tx{seq}" if txid is None else txid,
        checkpoint={"tick": f"{seq}-0"},
        state={} if state is None else state,
        outputs=outputs_of(events, "candle_closed"),
    )


async def write(log: Log, events: Sequence[Event], partition: int = 0) -> None:
    """Append events to a partition's spine as its writer would."""
    for event in events:
        await log.append(partition, "tick", event.wire())
