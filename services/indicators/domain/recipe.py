"""Recipes: what to compute, by name and parameters, frozen and checked."""

from dataclasses import dataclass, fields
from math import isfinite
from typing import Any, ClassVar, Self

from services.indicators.domain.state import State

PARAMETER_MAX = 1_000


class RecipeError(ValueError):
    """A recipe that cannot be built; the message names it and the mend."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """One entry of the catalogue; its parameters are the dataclass's fields.

    ``WORD`` is its name in texts such as ``rsi:14``. ``OUTPUTS`` are the attributes of its state
    that hold a value after each candle, None while there is none.
    """

    WORD: ClassVar[str]
    OUTPUTS: ClassVar[tuple[str, ...]] = ("value",)

    def __post_init__(self) -> None:
        for field in fields(self):
            _check(self.WORD, field.name, getattr(self, field.name))

    @classmethod
    def parse(cls, parameters: list[str]) -> Self:
        """Build from the texts between the colons; left-out parameters keep their defaults.

        Raises:
            RecipeError: a parameter is too much, no number, or out of its range.
        """
        known = fields(cls)
        if len(parameters) > len(known):
            names = ", ".join(field.name for field in known) or "none"
            raise RecipeError(f"{cls.WORD} takes these parameters: {names}; got {parameters}")
        pairs = zip(known, parameters, strict=False)
        return cls(**{field.name: _number(cls.WORD, field, text) for field, text in pairs})

    @property
    def name(self) -> str:
        """The recipe as text, with all its parameters: ``bollinger:20:2``."""
        values = (getattr(self, field.name) for field in fields(self))
        return ":".join([self.WORD, *(f"{value:g}" for value in values)])

    @property
    def key(self) -> str:
        """What its values are called in a reading."""
        return self.name

    def start(self) -> State:
        """A state that has seen nothing yet."""
        raise NotImplementedError


def numbers(recipe: Recipe) -> list[float]:
    """A recipe's parameters, in order."""
    return [getattr(recipe, field.name) for field in fields(recipe)]


def _number(word: str, field: Any, text: str) -> float:
    try:
        return int(text) if field.type is int else float(text)
    except ValueError:
        kind = "a whole number" if field.type is int else "a number"
        raise RecipeError(f"{word}: {field.name} must be {kind}, got {text!r}") from None


def _check(word: str, name: str, value: float) -> None:
    low = 1 if isinstance(value, int) else 0.0
    if not isfinite(value) or value < low or value == 0 or value > PARAMETER_MAX:
        span = f"from 1 to {PARAMETER_MAX}" if low else f"above 0 and up to {PARAMETER_MAX}"
        raise RecipeError(f"{word}: {name} must be {span}, got {value}")
