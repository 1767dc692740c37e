"""What signals cost: ticks past levels, against asking every rule at every level each time."""

import gc
from random import Random
from time import perf_counter
from typing import Any

from services.signals.adapters.rule_files import load
from services.signals.domain.book import Book
from services.signals.domain.moves import Move
from services.signals.domain.posts import Levels, man_posts, placed
from services.signals.domain.step import SignalsStep
from shared.events import Candle, Close, Config, Event, Level, LevelComputed, Tick, Window

SYMBOLS = 10
TICKS = 100_000
BATCH = 50
CLOSING = 10_000
TICK = 0.00001
_MINUTE = 60_000_000
_DAY = 1440 * _MINUTE
_LEVELS = (
    *("previous_day.high", "previous_day.low"),
    *(f"pivot.classic.{name}" for name in ("s3", "s2", "s1", "pp", "r1", "r2", "r3")),
)


def rows() -> list[dict[str, Any]]:
    """The figures: each with its goal, and how it compares with its anchor or goal."""
    return [_ticks(), _mass_close()]


def liquidity() -> Config:
    """The built-in set as it stands on the spine."""
    (rule_set,) = load(["liquidity"], [])
    return config("rules", rule_set.name, rule_set.body, "*")


def config(kind: str, name: str, body: dict[str, Any], symbol: str) -> Config:
    """A spine entry that sets something."""
    return Config(symbol=symbol, at=_DAY, pos=1, kind=kind, name=name, version="1", body=body)


def known(symbol: str) -> list[Event]:
    """An instrument with the tick of EURUSD, and nine daily levels 70 ticks apart."""
    session = {"zone": "UTC", "start": "00:00", "end": "00:00", "days": [1, 2, 3, 4, 5]}
    body = {
        "symbol": symbol,
        "title": symbol,
        "kind": "fx",
        "session": session,
        "tick_size": TICK,
        "decimals": 5,
    }
    return [config("instrument", symbol, body, symbol), reading(symbol, 3)]


def reading(symbol: str, pos: int) -> LevelComputed:
    """The daily reading with those levels."""
    levels = tuple(
        Level(key=key, price=1.1 + (n - 4) * 70.3 * TICK, side="pivot", formed_at=0, confirmed_at=0)
        for n, key in enumerate(_LEVELS)
    )
    candle = Candle(open_at=0, at=_DAY, open=1.1, high=1.1, low=1.1, close=1.1)
    return LevelComputed(
        symbol=symbol,
        at=_DAY,
        pos=pos,
        timeframe="1d",
        session_at=0,
        origin="live",
        candle=candle,
        levels=levels,
        values={},
        zones=(),
        cause="bench",
    )


def walk(seed: int) -> list[Tick]:
    """A random walk of up to three ticks a step, the symbols in turn, 5 prices a second each."""
    chance, places = Random(seed), [110_000] * SYMBOLS
    ticks = []
    for n in range(TICKS):
        which = n % SYMBOLS
        places[which] += chance.randint(-3, 3)
        price, at = round(places[which] * TICK, 5), _DAY + n * 20_000
        ticks.append(
            Tick(symbol=f"S{which}", at=at, pos=n + 4, price=price, size=0, source="bench", n=n)
        )
    return ticks


def _ticks() -> dict[str, Any]:
    ticks = walk(1)
    step = SignalsStep({})
    step.process([liquidity(), *(event for n in range(SYMBOLS) for event in known(f"S{n}"))])
    start = perf_counter()
    for first in range(0, TICKS, BATCH):
        step.process(ticks[first : first + BATCH])
        step.changes()
    value = TICKS / (perf_counter() - start)
    anchor = _every_rule_at_every_level(ticks[:: TICKS // 10_000])
    return {
        "name": "signal_ticks_per_s",
        "value": round(value),
        "unit": f"ticks/s past {len(_LEVELS)} levels with their state, {BATCH} a commit",
        "anchor": round(anchor),
        "ratio": round(value / anchor, 1),
        "goal": 50_000,
        "met": value >= 50_000,
    }


def _every_rule_at_every_level(ticks: list[Tick]) -> float:
    book = Book()
    book.apply(liquidity())
    levels: Levels = {"1d": placed(reading("S0", 3))}
    posts = man_posts(book.rules_for("S0"), levels, TICK, {})
    before = 1.1
    start = perf_counter()
    for n, tick in enumerate(ticks):
        move = Move(before, tick.price, tick.at, n, cut=False)
        for post in posts:
            post.pattern.take(move)
        before = tick.price
    return len(ticks) / (perf_counter() - start)


def _mass_close() -> dict[str, Any]:
    step = SignalsStep({})
    symbols = [f"S{n}" for n in range(CLOSING)]
    step.process([liquidity(), *(event for symbol in symbols for event in known(symbol))])
    step.changes()
    window = (Window(timeframe="15m", open_at=0),)
    closing: list[Event] = []
    for symbol in symbols:
        closing.append(reading(symbol, 9).model_copy(update={"timeframe": "15m"}))
        closing.append(Close(symbol=symbol, at=2 * _DAY, pos=9, session_at=_DAY, windows=window))
    # As the service does every half minute.
    gc.freeze()
    start = perf_counter()
    step.process(closing)
    step.changes()
    value = perf_counter() - start
    gc.unfreeze()
    return {
        "name": "signals_10k_close_s",
        "value": round(value, 3),
        "unit": "s until 10,000 readings and closes are taken and their state is ready",
        "anchor": None,
        "ratio": round(1.0 / value, 2),
        "goal": 1.0,
        "met": value <= 1.0,
    }


if __name__ == "__main__":
    for row in rows():
        print(row)
