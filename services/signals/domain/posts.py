"""Where rules meet levels: one post for each rule at each level it names."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from services.signals.domain.book import ActiveRule
from services.signals.domain.hours import SessionSpan
from services.signals.domain.kinds import AtLevels, AtZones, When
from services.signals.domain.moves import Hit, Move, Saved, Spot
from services.signals.domain.patterns import Pattern, pattern_at
from services.signals.domain.wording import level_words, sentence
from shared.events import LevelComputed, SignalGenerated, Zone
from shared.events.base import stamp
from shared.market.timeframes import Timeframe


class Placed(NamedTuple):
    """What is kept of a level, or of a zone: then its price is the edge that a price meets first.

    ``far`` is a zone's other edge and ``status`` where it is in its life.
    """

    key: str
    price: float
    formed_at: int
    far: float | None = None
    status: str = ""

    @property
    def ref(self) -> str:
        """The same as the level's or zone's own ``ref``."""
        return f"{self.key}@{stamp(self.formed_at)}"


class Cause(NamedTuple):
    """What made a signal exist."""

    symbol: str
    pos: int
    id: str


Levels = dict[Timeframe, tuple[Placed, ...]]


def placed(computed: LevelComputed) -> tuple[Placed, ...]:
    """What is kept of a timeframe's levels and zones; of two with the same ref the last."""
    levels = [Placed(level.key, level.price, level.formed_at) for level in computed.levels]
    zones = [_zone(zone) for zone in computed.zones if zone.side != "pivot"]
    return tuple({(one.key, one.formed_at): one for one in levels + zones}.values())


def _zone(zone: Zone) -> Placed:
    near, far = (zone.high, zone.low) if zone.side == "support" else (zone.low, zone.high)
    return Placed(zone.key, near, zone.formed_at, far, zone.status)


@dataclass(frozen=True, slots=True)
class Post:
    """One rule watching one level; ``place`` is ``1d.previous_day.high@2026-11-19T22:00Z``."""

    active: ActiveRule
    timeframe: Timeframe
    level: Placed
    place: str
    spot: Spot
    pattern: Pattern

    def signal(self, hit: Hit, move: Move, cause: Cause, decimals: int) -> SignalGenerated:
        """The signal that tells of a hit by this move, which ``cause`` made."""
        numbers = {
            "price": move.price,
            "previous_price": move.before,
            "level": self.level.price,
            "tick_size": self.spot.tick,
            "distance_ticks": round(self.spot.ticks(move.price), 6),
        } | hit.operands
        if self.active.atr is not None:
            numbers["atr"] = self.active.atr
        told = Hit(hit.action, hit.direction, hit.side, hit.gap, numbers)
        words = level_words(self.level.key, self.timeframe)
        return SignalGenerated(
            symbol=cause.symbol,
            at=move.at,
            pos=cause.pos,
            config=self.active.config,
            rule=self.active.rule.name,
            rule_version=self.active.version,
            action=hit.action,
            direction=hit.direction,
            timeframe=self.timeframe,
            level=self.level.ref,
            level_price=self.level.price,
            price=move.price,
            gap=hit.gap,
            operands=numbers,
            reason=sentence(told, cause.symbol, words, decimals),
            expires_at=expiry(self.active, move.timing.session, move.at),
            cause=cause.id,
        )


def expiry(active: ActiveRule, session: SessionSpan | None, at: int) -> int | None:
    """When a signal of this moment expires, as far as the session's end is known."""
    if not active.expires or session is None or session.end is None or session.end < at:
        return None
    return session.end


Former = Mapping[tuple[str, str], tuple[Spot, Saved]]
"""What posts knew, by rule label and place."""


def man_posts(
    rules: Iterable[ActiveRule], levels: Levels, tick_size: float, former: Former
) -> list[Post]:
    """A post for each rule at each level it names, by rule, timeframe and level.

    Whoever stays at a level that stays keeps what he knows; where the level has a new price, only
    whether and when he fired.
    """
    return [
        _man(active, when.timeframe, level, tick_size, former)
        for active in rules
        for when in (active.rule.when,)
        for level in levels.get(when.timeframe, ())
        if _is_meant(when, level)
    ]


def knowledge(posts: Iterable[Post]) -> dict[tuple[str, str], tuple[Spot, Saved]]:
    """What these posts know, for those who come after them."""
    return {(post.active.label, post.place): (post.spot, post.pattern.save()) for post in posts}


def _is_meant(when: When, level: Placed) -> bool:
    if isinstance(when, AtZones):
        return level.far is not None and when.names(level.key, level.status)
    return isinstance(when, AtLevels) and level.far is None and when.names(level.key)


def _man(
    active: ActiveRule, timeframe: Timeframe, level: Placed, tick_size: float, former: Former
) -> Post:
    spot = Spot(level.price, tick_size)
    pattern = pattern_at(active.rule, spot, level.far)
    post = Post(active, timeframe, level, f"{timeframe}.{level.ref}", spot, pattern)
    known = former.get((active.label, post.place))
    if known is not None:
        then, saved = known
        resume = pattern.load if then == spot else pattern.moved
        resume(saved)
    return post
