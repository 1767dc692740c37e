"""A log whose whole history is known, and a disk that may die under whoever writes to it."""

from collections.abc import Callable, Sequence
from pathlib import Path

from shared.archive.files import Disk
from shared.bus.log import START, order
from shared.events import CandleClosed, Event, Heartbeat, Tick
from shared.events.codec import RawEntry

SECOND = 1_000_000
MINUTE = 60 * SECOND


class KnownLog:
    """One partition. ``history`` is what the log holds and has trimmed, not what it has lost."""

    partitions = 1

    def __init__(self) -> None:
        self.history: dict[str, list[RawEntry]] = {}
        self._trimmed: dict[str, int] = {}
        self._next = (1_000, 0)

    async def entries(self, partition: int, topic: str, after: str, count: int) -> list[RawEntry]:
        held = self.history.get(topic, [])[self._trimmed.get(topic, 0) :]
        return [one for one in held if order(one[0]) > order(after)][:count]

    async def trimmed(self, partition: int, topic: str) -> bool:
        return self._trimmed.get(topic, 0) > 0

    def write(self, topic: str, fields: Sequence[object], later_ms: int = 1) -> str:
        """Append an entry, so many milliseconds after the last one of any topic."""
        ms, n = self._next
        self._next = (ms + later_ms, 0) if later_ms else (ms, n + 1)
        entry = f"{self._next[0]}-{self._next[1]}"
        self.history.setdefault(topic, []).append((entry, [str(value) for value in fields]))
        return entry

    def roll_back(self, ms: int) -> None:
        """A replica that is so far behind takes over: its clock goes on from there.

        What was trimmed, and one entry after it, is older than any failover reaches.
        """
        oldest = [
            order(self.history[topic][count][0])[0]
            for topic, count in self._trimmed.items()
            if 0 < count < len(self.history[topic])
        ]
        edge = max(1_000, self._next[0] - ms, *oldest)
        for topic, held in self.history.items():
            kept = [one for one in held if order(one[0])[0] <= edge]
            self.history[topic] = kept[:]
        numbers = [
            order(entry)[1]
            for held in self.history.values()
            for entry, _ in held
            if order(entry)[0] == edge
        ]
        self._next = (edge, max(numbers, default=0))

    def newest(self, topic: str, up_to: str) -> str:
        """The newest entry up to another."""
        ids = [entry for entry, _ in self.history.get(topic, []) if order(entry) <= order(up_to)]
        return ids[-1] if ids else START

    def trim(self, topic: str, up_to: str) -> None:
        """Cut what was written up to an entry, but for the newest."""
        held = self.history.get(topic, [])
        gone = sum(order(one[0]) <= order(up_to) for one in held)
        self._trimmed[topic] = max(self._trimmed.get(topic, 0), min(gone, len(held) - 1))


class Died(Exception):
    """The process is no more."""


class MortalDisk(Disk):
    """Dies before or after one of its changes; ``left`` counts them down, None lives for ever."""

    def __init__(self) -> None:
        self.left: int | None = None

    def publish(self, path: Path, write: Callable[[Path], None]) -> None:
        self._step()
        super().publish(path, write)
        self._step()

    def remove(self, path: Path) -> None:
        self._step()
        super().remove(path)

    def set_aside(self, path: Path, place: Path) -> None:
        self._step()
        super().set_aside(path, place)

    def _step(self) -> None:
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                raise Died


def tick(number: int, at: int, symbol: str = "DAX") -> Event:
    """A price that tells which one it is."""
    return Tick(
        symbol=symbol, at=at, pos=number, price=100 + number / 8, size=1, source="test", n=number
    )


def beat(number: int, at: int) -> Event:
    return Heartbeat(symbol="*", at=at, pos=number)


def candle(number: int, at: int, symbol: str = "DAX", close: float = 101.5) -> CandleClosed:
    """A one-minute candle that ends then."""
    return CandleClosed(
        symbol=symbol,
        at=at,
        pos=number,
        timeframe="1m",
        open_at=at - MINUTE,
        session_at=0,
        open=100.25,
        high=103,
        low=99.5,
        close=close,
        volume=7,
        ticks=3,
        source="test",
        origin="live",
        cause="tick:DAX",
    )


__all__ = ["MINUTE", "SECOND", "START", "Died", "KnownLog", "MortalDisk", "beat", "candle", "tick"]
