"""Closed candles with values, for rules that are decided on them."""

from collections.abc import Mapping
from typing import Any

from services.signals.domain.rules import RuleSet
from services.signals.domain.step import SignalsStep
from shared.events import Candle, Close, Level, LevelComputed, SignalGenerated, Window
from shared.events.candle import Origin
from shared.market.timeframes import Timeframe
from tests.signals.play import FRIDAY, MINUTE, SYMBOL, instrument, rules, saved

STEP = 15 * MINUTE


def candle_rule(condition: Mapping[str, Any], **life: Any) -> RuleSet:
    """A set named ``test`` of one long rule on 15m candles."""
    when = {"kind": "candle", "timeframe": "15m", "direction": "long", "condition": condition}
    rule = {"name": "rule", "when": when, "life": {"cooldown_s": 0, **life}}
    return RuleSet.model_validate({"name": "test", "rules": [rule]})


class Candles:
    """A fresh stage with an instrument of tick 1 and one rule set, fed with closed candles."""

    def __init__(self, rule_set: RuleSet) -> None:
        self.state: dict[str, str] = {}
        self.step = SignalsStep({})
        self.step.process([instrument(), rules(rule_set)])
        self.number = 0

    def close(self, *closes: float, **values: float) -> list[SignalGenerated]:
        """Let 15m candles close at these prices, all with these values (``rsi_14``: ``rsi:14``)."""
        return [signal for price in closes for signal in self.one(price, values)]

    def one(
        self,
        price: float,
        values: Mapping[str, float],
        *levels: Level,
        origin: Origin = "live",
        timeframes: tuple[Timeframe, ...] = ("15m",),
    ) -> list[SignalGenerated]:
        """One close of these timeframes, each with the same reading."""
        self.number += 1
        at = FRIDAY + self.number * STEP
        named = {name.replace("_", ":"): value for name, value in values.items()}
        readings = [
            LevelComputed(
                symbol=SYMBOL,
                at=at,
                pos=self.number,
                timeframe=timeframe,
                session_at=FRIDAY,
                origin=origin,
                candle=Candle(
                    open_at=at - STEP, at=at, open=price, high=price, low=price, close=price
                ),
                levels=levels,
                values=named,
                zones=(),
                cause="candle",
            )
            for timeframe in timeframes
        ]
        windows = tuple(Window(timeframe=name, open_at=at - STEP) for name in timeframes)
        close = Close(symbol=SYMBOL, at=at, pos=self.number, session_at=FRIDAY, windows=windows)
        signals = self.step.process([*readings, close])
        return [signal for signal in signals if isinstance(signal, SignalGenerated)]

    def restart(self) -> None:
        """Go on in a new process, from what this one has saved."""
        self.state = saved(self.state, self.step)
        self.step = SignalsStep(self.state)
