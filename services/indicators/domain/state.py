"""What an indicator or a level remembers between candles."""

from collections import deque
from collections.abc import Sequence
from copy import deepcopy
from typing import Any, ClassVar, Self

from shared.events import CandleClosed


class State:
    """A small mutable machine: it takes candles one by one, and can be saved and restored exactly.

    ``SAVED`` names the slots that make up its memory; the other slots are fixed by the recipe or
    follow from the saved ones. Saved values are JSON: numbers, texts, None, and lists of these,
    also in a deque, or another State. A float survives, because JSON writes its shortest exact
    form. The memory never grows with the number of candles seen.
    """

    __slots__ = ()
    SAVED: ClassVar[tuple[str, ...]] = ()

    def update(self, candle: CandleClosed) -> None:
        """Take the next closed candle."""
        raise NotImplementedError

    def peek(self, candle: CandleClosed) -> Self:
        """What this state would be after a candle that is still forming; it is not touched."""
        copy = deepcopy(self)
        copy.update(candle)
        return copy

    def snapshot(self) -> list[Any]:
        """The memory as JSON values, in the order of ``SAVED``."""
        return [_plain(getattr(self, name)) for name in self.SAVED]

    def restore(self, saved: Sequence[Any]) -> Self:
        """Take over a snapshot of a state of the same recipe."""
        for name, value in zip(self.SAVED, saved, strict=True):
            current = getattr(self, name)
            if isinstance(current, State):
                current.restore(value)
            elif isinstance(current, deque):
                setattr(self, name, deque(value, current.maxlen))
            else:
                setattr(self, name, list(value) if isinstance(value, list) else value)
        return self


def _plain(value: Any) -> Any:
    if isinstance(value, State):
        return value.snapshot()
    return list(value) if isinstance(value, list | deque) else value
