"""The decision to send one alert: a signal and the channel it goes to."""

from typing import ClassVar, Self

from services.notifier.domain.text import sentence
from shared.events.base import Event, Finite, Name, Price
from shared.events.codec import register
from shared.events.level import MaybeMicros
from shared.events.signal import Action, Direction, SignalGenerated
from shared.market.timeframes import Timeframe

ID_LENGTH_MAX = 390
"""The longest id of an intent: receipts and dead letters hold it, in a field of 400."""

# Where the source stands in an id: tick:SYMBOL:SOURCE:AT:n, candle_in:SYMBOL:TIMEFRAME:SOURCE:AT.
_SOURCE_AT = {"tick": 1, "candle_in": 2}


@register
class AlertIntent(Event):
    """One signal, to be delivered on one channel; everything that a channel shows of it.

    ``at`` and ``pos`` are the signal's. ``text`` is the sentence every channel shows, ``routes``
    the digest of the routes in force when this was decided. ``simulated`` marks a price that no
    market made.
    """

    TYPE: ClassVar[str] = "alert_intent"
    TOPIC: ClassVar[str] = "alert_intent"

    channel: Name
    signal: Name
    text: Name
    config: Name
    rule: Name
    rule_version: Name
    action: Action
    direction: Direction
    timeframe: Timeframe
    level: Name
    level_price: Finite
    price: Price
    gap: bool
    simulated: bool
    reason: Name
    expires_at: MaybeMicros
    routes: Name
    cause: Name

    @property
    def id(self) -> str:
        return intent_id(self.channel, self.signal)

    @classmethod
    def of(
        cls, signal: SignalGenerated, channel: str, *, routes: str, simulated: bool = False
    ) -> Self:
        """The intent to tell ``channel`` of ``signal``; ``simulated`` if all of the market is.

        Raises:
            ValueError: the signal's id leaves no room for the intent's.
        """
        length = len(intent_id(channel, signal.id))
        if length > ID_LENGTH_MAX:
            raise ValueError(
                f"the alert's id would be {length} characters long, more than "
                f"{ID_LENGTH_MAX}: shorten the names of rule set, rule or channel"
            )
        return cls(
            symbol=signal.symbol,
            at=signal.at,
            pos=signal.pos,
            channel=channel,
            signal=signal.id,
            text=sentence(signal),
            config=signal.config,
            rule=signal.rule,
            rule_version=signal.rule_version,
            action=signal.action,
            direction=signal.direction,
            timeframe=signal.timeframe,
            level=signal.level,
            level_price=signal.level_price,
            price=signal.price,
            gap=signal.gap,
            simulated=simulated or is_simulated(signal.cause),
            reason=signal.reason,
            expires_at=signal.expires_at,
            routes=routes,
            cause=signal.id,
        )


def intent_id(channel: str, signal_id: str) -> str:
    """``alert_intent:console:signal_generated:EURUSD:...``; receivers know a repeat by it."""
    return f"{AlertIntent.TYPE}:{channel}:{signal_id}"


def is_simulated(cause: str) -> bool:
    """Whether a signal's cause is a price of the demo feed: a tick, or a candle given whole.

    The cause of a rule on closed candles names no feed.
    """
    kind, *parts = cause.split(":")
    return parts[_SOURCE_AT.get(kind, len(parts)) :][:1] == ["demo"]
