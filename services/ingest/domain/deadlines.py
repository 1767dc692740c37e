"""Which symbols' windows the clock has to close next."""

from collections.abc import Iterable, Iterator
from heapq import heapify, heappop, heappush

from services.ingest.domain.lane import NEVER, Lane


class Deadlines:
    """Lanes by the time at which the clock may close their next window; symbols break ties.

    A price often closes a window first: its deadline then stays behind and is passed over.
    """

    def __init__(self, lanes: Iterable[Lane]) -> None:
        self._heap = [(lane.due, lane.symbol, lane) for lane in lanes if lane.due != NEVER]
        heapify(self._heap)

    def put(self, lane: Lane) -> None:
        """The lane's deadline has changed."""
        if lane.due != NEVER:
            heappush(self._heap, (lane.due, lane.symbol, lane))

    def __len__(self) -> int:
        return len(self._heap)

    def due(self, at: int) -> list[str]:
        """The symbols of the lanes that ``reached`` would take out, in its order; they stay."""
        found = sorted((due, symbol) for due, symbol, lane in self._heap if lane.due == due <= at)
        return list(dict.fromkeys(symbol for _, symbol in found))

    def reached(self, at: int) -> Iterator[Lane]:
        """Take out the lanes that are due, the earliest first."""
        while self._heap and self._heap[0][0] <= at:
            due, _, lane = heappop(self._heap)
            if lane.due == due:
                yield lane
