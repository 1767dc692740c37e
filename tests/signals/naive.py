"""Touch, break and sweep by brute force over a whole recorded way of the price.

Written from the definitions in docs/rules.md and not from the code: every rule is looked for at
every level and every price, in whole ticks, with all of the past at hand. ``way[0]`` is the price
before the level was there.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from services.signals.domain.kinds import Break, Sweep, Touch
from services.signals.domain.rules import Rule


@dataclass(frozen=True)
class Point:
    """A price in half ticks, when it came, and whether something was cut before it."""

    half: int
    at: int
    cut: bool


@dataclass(frozen=True)
class Found:
    """A pattern was completed by the price with this index."""

    index: int
    direction: str
    gap: bool


Way = Sequence[Point]


def firings(rule: Rule, level: int, way: Way) -> list[Found]:
    """What the rule tells at a level (in half ticks) along the way."""
    away = [abs(point.half - level) >= 2 * rule.life.rearm_ticks for point in way]
    fired: list[Found] = []
    for found in found_at(rule, level, way):
        if fired and rule.life.fires == "once":
            break
        if fired:
            last = fired[-1].index
            waited = way[found.index].at - way[last].at
            if waited < max(1, rule.life.cooldown_s * 1_000_000):
                continue
            if not any(away[last : found.index + 1]):
                continue
        fired.append(found)
    return fired


def found_at(rule: Rule, level: int, way: Way) -> Iterator[Found]:
    """Every completed pattern, told or not."""
    distances = [point.half - level for point in way]
    if isinstance(rule.when, Touch):
        return touches(rule.when, distances, way)
    if isinstance(rule.when, Break):
        return breaks(rule.when, distances, way)
    assert isinstance(rule.when, Sweep)
    return sweeps(rule.when, distances, way)


def jump(when: Touch | Break | Sweep, distances: Sequence[int], way: Way, index: int) -> bool:
    """Whether the move that ends here passed the level as a gap."""
    before, after = distances[index - 1], distances[index]
    passed = after != 0 and (before == 0 or (before < 0) != (after < 0))
    return passed and (way[index].cut or abs(after - before) > 2 * when.gap_ticks)


def touches(when: Touch, distances: Sequence[int], way: Way) -> Iterator[Found]:
    """A near price after one that was not near."""
    near = [abs(distance) <= 2 * when.within_ticks for distance in distances]
    for index in range(1, len(way)):
        if near[index] and not near[index - 1] and not jump(when, distances, way, index):
            yield Found(index, "short" if distances[index - 1] < 0 else "long", False)


def breaks(when: Break, distances: Sequence[int], way: Way) -> Iterator[Found]:
    """A change from one side to three ticks, or whatever it is, beyond the other."""
    home = 0
    for index in range(1, len(way)):
        home = home or sign(distances[index - 1])
        beyond = -home * distances[index]
        if home and beyond >= 2 * when.through_ticks:
            gap = jump(when, distances, way, index)
            yield Found(index, "long" if home < 0 else "short", gap)
            home = -home


def sweeps(when: Sweep, distances: Sequence[int], way: Way) -> Iterator[Found]:
    """Scan for a pierce, then for its end, and go on from there."""
    index, home = 1, 0
    while index < len(way):
        home = home or sign(distances[index - 1])
        if not home or -home * distances[index] < 2 * when.through_ticks:
            index += 1
            continue
        end, outcome = pierce_end(when, [-home * distance for distance in distances], way, index)
        if outcome == "back":
            gap = jump(when, distances, way, index)
            yield Found(end, "short" if home < 0 else "long", gap)
        elif outcome == "broken":
            home = -home
        # A price that ends a pierce by coming too late may begin the next one.
        index = end if end > index else index + 1


def pierce_end(when: Sweep, depths: Sequence[int], way: Way, start: int) -> tuple[int, str]:
    """Where a pierce ends and how: back, broken, or open at the end of the way."""
    deepest = float("inf") if when.depth_ticks_max is None else 2 * when.depth_ticks_max
    for index in range(start, len(way)):
        late = when.window_s is not None and (
            way[index].at - way[start].at > when.window_s * 1_000_000
        )
        late |= when.window_prices is not None and index - start > when.window_prices
        if late or (depths[index] > deepest):
            return index, "broken"
        if -depths[index] >= 2 * when.back_ticks and index > start:
            return index, "back"
    return len(way), "open"


def sign(distance: int) -> int:
    return (distance > 0) - (distance < 0)
