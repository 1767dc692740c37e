"""What values, levels and zones there can be, by name, and what their numbers are.

The indicators service computes them; here is what a rule may call them, so that a name that can
never come is refused when a rule is saved. Whether one *is* computed is up to that service's own
settings: until it is, a rule waits for it visibly.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Literal, NamedTuple

Unit = Literal["price", "percent", "distance", "trend", "ratio", "number"]


class Shape(NamedTuple):
    """How a word goes on: so many parameters, then one of the outputs (empty: none).

    A word that is ``bare`` has no parameters where they are the usual ones: ``swing.high``.
    """

    unit: Unit
    parameters: int
    outputs: tuple[str, ...] = ("",)
    bare: bool = False


_SIDES = ("upper", "lower")
_BAND = ("upper", "middle", "lower")
_VALUES: dict[str, Shape] = {
    "adx": Shape("percent", 1, ("", "plus", "minus")),
    "atr": Shape("distance", 1),
    "atr_stop": Shape("price", 2, (*_SIDES, "trend"), bare=True),
    "bollinger": Shape("price", 2, _BAND),
    "donchian": Shape("price", 1, _BAND, bare=True),
    "ema": Shape("price", 1),
    "macd": Shape("distance", 3, ("line", "signal", "histogram")),
    "rsi": Shape("percent", 1),
    "sma": Shape("price", 1),
    "stochastic": Shape("percent", 3, ("k", "d")),
    "supertrend": Shape("price", 2, ("", "trend")),
    "swing": Shape("price", 1, ("high", "low"), bare=True),
    "vwap": Shape("price", 0),
}
_PERIOD = Shape("price", 0, ("high", "low", "open", "close"))
_RESISTANCES = tuple(f"{side}{number}" for side in "rs" for number in range(1, 6))
_PIVOTS = tuple(
    f"{kind}.{name}"
    for kind in ("camarilla", "classic", "demark", "fibonacci", "woodie")
    for name in ("pp", *_RESISTANCES)
)
_LEVELS: dict[str, Shape] = {
    "atr_stop": Shape("price", 2, _SIDES, bare=True),
    "donchian": Shape("price", 1, _SIDES, bare=True),
    "opening_range": Shape("price", 1, ("high", "low"), bare=True),
    "pivot": Shape("price", 0, _PIVOTS),
    "previous_day": _PERIOD,
    "previous_month": _PERIOD,
    "previous_week": _PERIOD,
    "round_number": Shape("price", 1, ("above", "below"), bare=True),
    "swing": Shape("price", 1, ("high", "low"), bare=True),
}
_ZONES: dict[str, Shape] = {"fvg": Shape("price", 0, ("bullish", "bearish"))}
_USUAL = {
    "atr_stop": "14:3",
    "donchian": "20",
    "opening_range": "30",
    "round_number": "3",
    "swing": "2",
}
_PARAMETERS = re.compile(r"(:[0-9.]+)+(?=\.[a-z*]|\*|$)")


def as_told(name: str) -> str:
    """A name or pattern as readings spell it: ``swing:2.high`` is ``swing.high`` there."""
    word = _word(name)
    usual = f"{word}:{_USUAL.get(word)}."
    return f"{word}.{name.removeprefix(usual)}" if name.startswith(usual) else name


def check_value(name: str) -> None:
    """Nothing, if there can be a value of this name.

    Raises:
        ValueError: there cannot; names it and the mend.
    """
    if _word(name) in _LEVELS.keys() - _VALUES.keys():
        raise ValueError(f"{name!r} is a level: write level:{name}")
    _check(name, "series", _VALUES)


def check_level(name: str) -> None:
    """Nothing, if there can be a level of this key.

    Raises:
        ValueError: there cannot; names it and the mend.
    """
    _check(name, "level", _LEVELS)


def check_zone(name: str) -> None:
    """Nothing, if there can be a zone of this key.

    Raises:
        ValueError: there cannot; names it and the mend.
    """
    _check(name, "zone", _ZONES)


def unit_of(name: str) -> Unit:
    """What the number of a value is.

    Raises:
        ValueError: nothing of that name exists.
    """
    check_value(name)
    if name.endswith(".trend"):
        return "trend"
    return _VALUES[_word(name)].unit


def check_patterns(patterns: Iterable[str], what: Literal["level", "zone"]) -> None:
    """Nothing, if each pattern can meet a key.

    Raises:
        ValueError: one never can; names it and the keys that there are.
    """
    shapes = _LEVELS if what == "level" else _ZONES
    keys = [f"{word}.{output}" for word, shape in shapes.items() for output in shape.outputs]
    for pattern in patterns:
        bare = _PARAMETERS.sub("", pattern)
        if not any(matches([bare], key) for key in keys):
            raise ValueError(f"{pattern!r} meets no {what}; known are {_known(shapes)}")


def matches(patterns: Iterable[str], key: str) -> bool:
    """Whether a key is meant by one of the patterns, where * is any run of characters."""
    return any(_meets(pattern, key) for pattern in patterns)


# Each level of each rule is asked for again whenever levels move; keys and patterns are few.
@lru_cache(maxsize=4_096)
def _meets(pattern: str, key: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), key) is not None


def _check(name: str, what: str, shapes: dict[str, Shape]) -> None:
    word = _word(name)
    shape = shapes.get(word)
    if shape is None:
        parts = "open, high, low, close, " if what == "series" else ""
        raise ValueError(f"unknown {what} {name!r}; known are {parts}{_known(shapes)}")
    found = _PARAMETERS.search(name)
    given = found[0][1:].split(":") if found else []
    if len(given) != shape.parameters and not (shape.bare and not given):
        raise ValueError(f"{name!r}: {word} takes {_counted(shape)}, such as {_example(word)}")
    for text in given:
        _check_parameter(name, text)
    output = _PARAMETERS.sub("", name)[len(word) :].removeprefix(".")
    if output not in shape.outputs:
        outputs = ", ".join(one for one in shape.outputs if one) or "nothing after it"
        raise ValueError(f"unknown {what} {name!r}; {word} has {outputs}")


def _check_parameter(name: str, text: str) -> None:
    try:
        number = float(text)
    except ValueError:
        raise ValueError(f"{name!r}: {text!r} is no number") from None
    if number == 0:
        raise ValueError(f"{name!r} has a window of 0; it must be 1 or more")
    if f"{number:g}" != text:
        raise ValueError(f"{name!r}: write {number:g}, not {text}")


def _word(name: str) -> str:
    return name.partition(":")[0].partition(".")[0]


def _counted(shape: Shape) -> str:
    return f"{shape.parameters or 'no'} parameter{'s' if shape.parameters != 1 else ''}"


def _example(word: str) -> str:
    examples = {"bollinger": "bollinger:20:2.upper", "macd": "macd:12:26:9.signal"}
    examples |= {"stochastic": "stochastic:14:3:3.k", "supertrend": "supertrend:10:3"}
    examples |= {"vwap": "vwap", "adx": "adx:14", "atr": "atr:14", "rsi": "rsi:14"}
    return examples.get(word, f"{word}:20" if word in ("ema", "sma") else f"{word}.high")


def _known(shapes: dict[str, Shape]) -> str:
    return ", ".join(sorted(shapes))
