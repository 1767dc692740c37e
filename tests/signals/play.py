"""A partition's signals stage played by hand: prices in, signals out."""

from collections.abc import Iterable, Mapping
from typing import Any

from services.signals.domain.kinds import AtLevels
from services.signals.domain.rules import Rule, RuleSet
from services.signals.domain.step import SignalsStep
from shared.events import (
    Candle,
    Close,
    Config,
    Event,
    Level,
    LevelComputed,
    SignalGenerated,
    Tick,
    Window,
)
from shared.events.candle import Origin
from shared.market.timeframes import Timeframe

SECOND = 1_000_000
MINUTE = 60 * SECOND
# 2026-11-20 00:00 UTC, a Friday.
FRIDAY = 1_795_132_800 * SECOND
THURSDAY = FRIDAY - 1440 * MINUTE
SYMBOL = "TEST"
KEY = "previous_day.high"
LEVEL = 100.0

INSTRUMENT: dict[str, Any] = {
    "symbol": SYMBOL,
    "title": "Test",
    "kind": "index",
    "session": {"zone": "UTC", "start": "00:00", "end": "00:00", "days": [1, 2, 3, 4, 5]},
    "tick_size": 1.0,
    "decimals": 0,
}


def rule_set(when: Mapping[str, Any], **fields: Any) -> RuleSet:
    """A set named ``test`` of one rule named ``rule`` at yesterday's high; ``life`` is its own."""
    life = fields.pop("life", {"rearm_ticks": 10, "cooldown_s": 0})
    where = {"timeframe": "1d", "levels": [KEY]}
    rule = {"name": "rule", "when": {**where, **when}, "life": life}
    return RuleSet.model_validate({"name": "test", "rules": [rule], **fields})


def names(rule: Rule, key: str) -> bool:
    """Whether the rule is about a level of this key."""
    return isinstance(rule.when, AtLevels) and rule.when.names(key)


def config(kind: str, name: str, body: dict[str, Any], symbol: str = "*") -> Config:
    """A spine entry that changes a setting."""
    return Config(symbol=symbol, at=FRIDAY, pos=1, kind=kind, name=name, version="v", body=body)


def rules(rule_set: RuleSet) -> Config:
    """The spine entry that puts a rule set in force."""
    return config("rules", rule_set.name, rule_set.body)


def instrument(**changes: Any) -> Config:
    """The spine entry that makes the instrument known: one tick is one point."""
    body = INSTRUMENT | changes
    return config("instrument", body["symbol"], body, body["symbol"])


def level(price: float = LEVEL, key: str = KEY, formed_at: int = THURSDAY) -> Level:
    """A level, known since it formed."""
    return Level(
        key=key, price=price, side="resistance", formed_at=formed_at, confirmed_at=formed_at
    )


def levels(
    *given: Level, timeframe: Timeframe = "1d", symbol: str = SYMBOL, origin: Origin = "live"
) -> LevelComputed:
    """A timeframe's levels from here on."""
    candle = Candle(open_at=FRIDAY - MINUTE, at=FRIDAY, open=99, high=99, low=99, close=99)
    return LevelComputed(
        symbol=symbol,
        at=FRIDAY,
        pos=1,
        timeframe=timeframe,
        session_at=THURSDAY,
        origin=origin,
        candle=candle,
        levels=given,
        values={},
        zones=(),
        cause="candle",
    )


def tick(price: float, at: int, pos: int = 2, n: int = 0, symbol: str = SYMBOL) -> Tick:
    """One price."""
    return Tick(symbol=symbol, at=at, pos=pos, price=price, size=1, source="test", n=n)


def close(session_at: int, *timeframes: Timeframe, at: int = FRIDAY) -> Close:
    """The end of these timeframes' candles."""
    windows = tuple(Window(timeframe=name, open_at=at - MINUTE) for name in timeframes)
    return Close(symbol=SYMBOL, at=at, pos=2, session_at=session_at, windows=windows)


class Play:
    """A fresh stage with an instrument, one rule set and yesterday's high at 100."""

    def __init__(self, rule_set: RuleSet, *given: Level) -> None:
        self.step = SignalsStep({})
        self.state: dict[str, str] = {}
        self.at = FRIDAY
        self.pos = 1
        self.send(instrument(), rules(rule_set), levels(*(given or (level(),))))

    def send(self, *events: Event) -> list[SignalGenerated]:
        """Let any events through; the signals they give."""
        signals = self.step.process(events)
        assert all(isinstance(signal, SignalGenerated) for signal in signals)
        return [signal for signal in signals if isinstance(signal, SignalGenerated)]

    def prices(self, *prices: float, every_s: float = 1) -> list[SignalGenerated]:
        """Let prices through, one every so many seconds."""
        return [signal for price in prices for signal in self._price(price, every_s)]

    def restart(self) -> None:
        """Go on in a new process, from what this one has saved."""
        self.state = saved(self.state, self.step)
        self.step = SignalsStep(self.state)

    def _price(self, price: float, every_s: float) -> list[SignalGenerated]:
        self.at += round(every_s * SECOND)
        self.pos += 1
        return self.send(tick(price, self.at, self.pos))


def saved(state: Mapping[str, str], step: SignalsStep) -> dict[str, str]:
    """The state after a commit of what changed."""
    merged = {**state, **step.changes()}
    return {name: text for name, text in merged.items() if text != ""}


def told(signals: Iterable[SignalGenerated]) -> list[str]:
    """Each signal in short: ``touch short 99``, with ``gap`` where it is one."""
    return [
        f"{signal.action} {signal.direction} {signal.price:g}{' gap' if signal.gap else ''}"
        for signal in signals
    ]
