"""Names as people write them: ``RSI_14`` and ``rsi:14``, ``5min`` and ``5m``, ``NIFTY50``."""

import re
from collections.abc import Iterable
from difflib import get_close_matches

from services.indicators.domain.catalogue import CATALOGUE, parse
from services.indicators.domain.recipe import Recipe
from shared.market.timeframes import TIMEFRAMES, Timeframe

# Other people's words for what the catalogue has.
_ALIASES = {
    "bb": "bollinger",
    "bbands": "bollinger",
    "stoch": "stochastic",
    "swings": "swing",
    "dc": "donchian",
    "st": "supertrend",
}
_UNITS = {
    "m": 1, "min": 1, "mins": 1, "minute": 1, "minutes": 1, "": 1,
    "h": 60, "hr": 60, "hour": 60, "hours": 60,
    "d": 1440, "day": 1440, "days": 1440,
}  # fmt: skip
_MINUTES: dict[int, Timeframe] = {1: "1m", 5: "5m", 15: "15m", 60: "1h", 240: "4h", 1440: "1d"}


class UnknownName(ValueError):
    """A name that nothing has; ``nearest`` are known ones like it."""

    def __init__(self, message: str, nearest: list[str]) -> None:
        super().__init__(message)
        self.nearest = nearest


def timeframe_of(text: str) -> Timeframe:
    """``5m``, ``5min``, ``1hour``, ``60`` (minutes), ``D``.

    Raises:
        UnknownName: there is no such timeframe.
    """
    found = re.fullmatch(r"(\d*)\s*([a-z]*)", text.strip().lower())
    if found and found[0] and found[2] in _UNITS:
        timeframe = _MINUTES.get(int(found[1] or 1) * _UNITS[found[2]])
        if timeframe is not None and len(found[1]) < 6:
            return timeframe
    raise UnknownName(f"unknown timeframe {text!r}; known: {', '.join(TIMEFRAMES)}", [*TIMEFRAMES])


def recipe_of(text: str) -> Recipe:
    """The recipe that ``rsi:14``, ``RSI_14`` or ``ATR_STOP_14_3`` names.

    Raises:
        UnknownName: there is none of that name.
        RecipeError: a parameter is wrong.
    """
    name = text.strip().lower()
    parameters = re.search(r"(?:[_:]\d+(?:\.\d+)?)+$", name)
    word = name[: parameters.start()] if parameters else name
    word = _ALIASES.get(word, word)
    numbers = re.findall(r"\d+(?:\.\d+)?", parameters[0]) if parameters else []
    if word not in CATALOGUE:
        near = get_close_matches(word, [*CATALOGUE, *_ALIASES], n=3)
        near = list(dict.fromkeys(_ALIASES.get(one, one) for one in near))
        told = f"did you mean {near[0]}?" if near else f"known: {', '.join(CATALOGUE)}"
        raise UnknownName(f"unknown indicator {text!r}; {told}", near)
    return parse(":".join([word, *numbers]))


def symbol_of(text: str, known: Iterable[str]) -> str:
    """The symbol that is meant: ``NIFTY50`` is ``NIFTY 50`` where no other is nearer.

    Raises:
        UnknownName: nothing like it is known.
    """
    symbols = list(known)
    if text in symbols:
        return text
    alike = [symbol for symbol in symbols if _bare(symbol) == _bare(text)]
    if len(alike) == 1:
        return alike[0]
    near = alike or get_close_matches(text, symbols, n=3, cutoff=0.5)
    told = f"did you mean {near[0]}?" if near else "no candle of it has closed yet"
    raise UnknownName(f"unknown symbol {text!r}; {told}", near)


def _bare(symbol: str) -> str:
    return symbol.replace(" ", "").casefold()
