"""How fast a channel may be used: says how long to wait, and never waits itself."""


class Pace:
    """A token schedule: ``per_second`` sends on average, ``burst`` of them at once.

    Times are seconds on a clock that never jumps. ``per_second`` None means no limit; a hold still
    counts.

    The state is one number, the time at which the schedule would be even (the generic cell rate
    algorithm, ITU-T I.371): each send moves it one interval on, and a send may run ahead of it by
    ``burst - 1`` intervals.
    """

    def __init__(self, per_second: float | None = None, burst: int = 1) -> None:
        self._interval = 0.0 if per_second is None else 1 / per_second
        self._ahead = self._interval * (burst - 1)
        self._even_at = float("-inf")

    def take(self, now: float) -> float:
        """0 and the right to send at once, or the seconds after which to ask again."""
        wait = self._even_at - self._ahead - now
        if wait > 0:
            return wait
        self._even_at = max(self._even_at, now) + self._interval
        return 0.0

    def hold(self, until: float) -> None:
        """Nothing before ``until``, and no burst then: the other side asked for rest."""
        self._even_at = max(self._even_at, until + self._ahead)
