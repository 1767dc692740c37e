"""What waits for one channel in one partition, and whose turn it is."""

import heapq
from itertools import count

from services.notifier.domain.waiting import Waiting


class Lane:
    """Waiting alerts by the time they are due, never more than ``waiting_max`` of them.

    Those due at the same time keep the order in which they came.
    """

    def __init__(self, waiting_max: int) -> None:
        self._waiting_max = waiting_max
        self._heap: list[tuple[int, int, Waiting]] = []
        self._turns = count()

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, waiting: Waiting) -> Waiting | None:
        """Let it wait for its time; where that is one too many, the oldest makes room for it."""
        heapq.heappush(self._heap, (waiting.due_at, next(self._turns), waiting))
        if len(self._heap) <= self._waiting_max:
            return None
        oldest = min(self._heap, key=_age)
        self._heap.remove(oldest)
        heapq.heapify(self._heap)
        return oldest[2]

    @property
    def due_at(self) -> int | None:
        """When the first is due, in microseconds UTC; None where nothing waits."""
        return self._heap[0][0] if self._heap else None

    def pop(self) -> Waiting:
        """Take out the one that is due first."""
        return heapq.heappop(self._heap)[2]


def _age(entry: tuple[int, int, Waiting]) -> tuple[int, int]:
    _, turn, waiting = entry
    return waiting.intent.pos, turn
