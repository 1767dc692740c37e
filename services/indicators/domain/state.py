"""What an indicator or a level remembers between candles."""

from collections import deque
from collections.abc import Callable, Sequence
from copy import deepcopy
from operator import attrgetter
from typing import Any, ClassVar, Self

import orjson

from shared.events import CandleClosed


class State:
    """A small mutable machine: it takes candles one by one, and can be saved and restored exactly.

    ``SAVED`` names the slots that make up its memory; the other slots are fixed by the recipe or
    follow from the saved ones. Saved values are numbers, texts, None, and lists of these, also in a
    deque, or another State. They survive exactly, because JSON holds a float's shortest exact form.
    The memory never grows with the number of candles seen.
    """

    __slots__ = ()
    SAVED: ClassVar[tuple[str, ...]] = ()
    READ: ClassVar[Any]

    def __init_subclass__(cls) -> None:
        names = cls.SAVED
        # Of fewer than two names attrgetter makes no tuple.
        cls.READ = staticmethod(attrgetter(*names) if len(names) > 1 else _reader(names))

    def update(self, candle: CandleClosed) -> None:
        """Take the next closed candle."""
        raise NotImplementedError

    def peek(self, candle: CandleClosed) -> Self:
        """What this state would be after a candle that is still forming; it is not touched."""
        copy = deepcopy(self)
        copy.update(candle)
        return copy

    def memory(self) -> Sequence[Any]:
        """The saved slots as they are, for ``to_json`` to write down at once."""
        return self.READ(self)  # type: ignore[no-any-return]

    def snapshot(self) -> list[Any]:
        """The memory as JSON values, in the order of ``SAVED``."""
        return orjson.loads(to_json(self.memory()))  # type: ignore[no-any-return]

    def restore(self, saved: Sequence[Any]) -> Self:
        """Take over a snapshot of a state of the same recipe."""
        for name, value in zip(self.SAVED, saved, strict=True):
            current = getattr(self, name)
            if isinstance(current, State):
                current.restore(value)
            elif isinstance(current, deque):
                setattr(self, name, deque(value, current.maxlen))
            else:
                setattr(self, name, value)
        return self


def to_json(memory: Any) -> bytes:
    """JSON of memories, however deep in lists and objects they are."""
    return orjson.dumps(memory, default=_plain)


def _reader(names: tuple[str, ...]) -> Callable[[State], tuple[Any, ...]]:
    return lambda state: tuple(getattr(state, name) for name in names)


def _plain(value: Any) -> Sequence[Any]:
    return list(value) if value.__class__ is deque else value.memory()
