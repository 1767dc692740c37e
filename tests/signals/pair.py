"""Two symbols: one that rules are decided on, and another one that they look at."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.signals.domain.others import Relayed
from services.signals.domain.relaying import no_candle, request
from services.signals.domain.rules import RuleSet
from services.signals.domain.step import SignalsStep
from shared.events import Candle, Close, Config, Event, LevelComputed, SignalGenerated, Window
from shared.market.timeframes import LENGTH_US, Timeframe
from tests.signals.play import FRIDAY, SYMBOL, saved

STEP = LENGTH_US["15m"]
OTHER = "VIX"
Numbers = Mapping[str, float]


def joint_rule(condition: Mapping[str, Any], **fields: Any) -> RuleSet:
    """A set named ``test`` of one long rule on 15m candles of TEST."""
    when = {"kind": "candle", "timeframe": "15m", "direction": "long", "condition": condition}
    rule = {"name": "rule", "when": when, "life": {"cooldown_s": 0, **fields.pop("life", {})}}
    return RuleSet.model_validate(
        {"name": "test", "symbols": [SYMBOL], "rules": [rule], "signals_a_day_max": 999, **fields}
    )


def own(number: int, price: float, values: Numbers = {}) -> list[Event]:  # noqa: B006 - read only
    """The 15m candle with this number: its reading, and its close."""
    at = FRIDAY + number * STEP
    candle = Candle(open_at=at - STEP, at=at, open=price, high=price, low=price, close=price)
    reading = LevelComputed(
        symbol=SYMBOL,
        at=at,
        pos=number,
        timeframe="15m",
        session_at=FRIDAY,
        origin="live",
        candle=candle,
        levels=(),
        values=dict(values),
        zones=(),
        cause="candle",
    )
    window = Window(timeframe="15m", open_at=at - STEP)
    close = Close(symbol=SYMBOL, at=at, pos=number, session_at=FRIDAY, windows=(window,))
    return [reading, close]


def entry(told: Relayed, pos: int = 1) -> Config:
    """The spine entry of something relayed."""
    asked = request(told)
    return Config(pos=pos, **asked.model_dump(exclude={"pos"}))


def other(number: int, timeframe: Timeframe = "15m", **numbers: float) -> Config:
    """The other symbol's candle that ended with this number (``rsi_14``: ``rsi:14``)."""
    named = {name.replace("_", ":"): value for name, value in numbers.items()}
    at = FRIDAY + number * STEP
    return entry(Relayed(symbol=OTHER, timeframe=timeframe, at=at, numbers=named))


def nothing(number: int, timeframe: Timeframe = "15m") -> Config:
    """The other symbol has no further candle up to that of this number."""
    return entry(no_candle((OTHER, timeframe), FRIDAY + number * STEP))


def numbers_fired(signals: Sequence[Event]) -> list[int]:
    """The numbers of the candles that signals were told of."""
    return [
        (signal.at - FRIDAY) // STEP for signal in signals if isinstance(signal, SignalGenerated)
    ]


def again(step: SignalsStep, state: dict[str, str]) -> tuple[SignalsStep, dict[str, str]]:
    """The stage in a new process, from what this one has saved."""
    kept = saved(state, step)
    return SignalsStep(kept), kept
