"""Patterns that are decided on every price, with a short way for prices without effect."""

from collections.abc import Iterable, Sequence
from math import inf
from typing import Any, NamedTuple

from services.signals.domain.book import ActiveRule
from services.signals.domain.bounds import Bounds
from services.signals.domain.moves import Hit, Move, Spot, Timing
from services.signals.domain.posts import Former, Levels, Post, knowledge, man_posts

_NOTHING: tuple["Told", ...] = ()


class Told(NamedTuple):
    """A hit of a post, by the move that made it."""

    post: Post
    hit: Hit
    move: Move


class OnTick:
    """The posts of one symbol and the way of its price.

    ``low``, ``high``, ``until`` and ``until_count`` bound where no post can change: prices inside
    cost four comparisons, and only a price outside asks the posts whose own bounds it leaves.
    """

    __slots__ = (
        "_bounds",
        "_count",
        "_cut",
        "_high",
        "_low",
        "_posts",
        "_price",
        "_until",
        "_until_count",
        "changed",
    )

    def __init__(self) -> None:
        self._price: float | None = None
        self._count = 0
        self._cut = False
        self._posts: list[Post] = []
        self._bounds: Bounds | None = None
        self.changed = True
        self._wake()

    def passes(self, at: int, price: float) -> bool:
        """Take the next price if it is one without effect."""
        count = self._count + 1
        if self._low < price < self._high and at <= self._until and count <= self._until_count:
            self._count = count
            self._price = price
            return True
        return False

    def take(self, price: float, at: int, timing: Timing, *, smooth: bool) -> Sequence[Told]:
        """The next price; the patterns that it completes."""
        self._count += 1
        before, self._price = self._price, price
        # What was over before the first price stands between no two prices.
        cut, self._cut = self._cut, False
        if before is None:
            return _NOTHING
        move = Move(before, price, at, self._count, cut, smooth, timing=timing)
        if self._bounds is None:
            self._bounds = Bounds(post.pattern.quiet for post in self._posts)
        told = [self._ask(place, move) for place in self._bounds.left_by(move)]
        self._low, self._high, self._until, self._until_count = self._bounds.common()
        return [one for one in told if one is not None]

    def cut(self) -> None:
        """Prices were lost, or a session is over: the next move is one over a cut."""
        self._cut = True
        self._wake()

    def man(self, rules: Iterable[ActiveRule], levels: Levels, tick_size: float) -> None:
        """Let the posts stand where the levels are now; who stays keeps what he knows."""
        self._posts = man_posts(rules, levels, tick_size, knowledge(self._posts))
        self._bounds = None
        self.changed = True
        self._wake()

    def save(self) -> list[Any]:
        """What every price changes, as JSON values."""
        return [self._price, self._count, self._cut]

    def save_posts(self) -> list[Any]:
        """What posts know, as JSON values; only where ``changed`` is it another than before."""
        return [
            [post.active.label, post.place, post.spot.price, post.pattern.save()]
            for post in self._posts
        ]

    def load(self, saved: list[Any]) -> None:
        """Go on from what ``save`` gave; the posts come afterwards."""
        self._price, self._count, self._cut = saved

    def load_posts(
        self, saved: list[Any], rules: Iterable[ActiveRule], levels: Levels, tick_size: float
    ) -> None:
        """Go on from what ``save_posts`` gave."""
        former: Former = {
            (label, place): (Spot(price, tick_size), known) for label, place, price, known in saved
        }
        self._posts = man_posts(rules, levels, tick_size, former)
        self._bounds = None

    def _ask(self, place: int, move: Move) -> Told | None:
        post = self._posts[place]
        known = post.pattern.save()
        hit = post.pattern.take(move)
        self.changed |= post.pattern.save() != known
        assert self._bounds is not None
        self._bounds.put(place, post.pattern.quiet)
        return None if hit is None else Told(post, hit, move)

    def _wake(self) -> None:
        """Let the next price be looked at in full."""
        self._low, self._high = inf, -inf
        self._until = self._until_count = inf
