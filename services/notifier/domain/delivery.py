"""What a channel can answer, and what follows from it."""

from dataclasses import dataclass

from shared.events.alert import AlertStatus

DETAIL_LENGTH_MAX = 300


@dataclass(frozen=True, slots=True)
class Delivered:
    """It arrived; ``detail`` is what the other side said."""

    detail: str = ""


@dataclass(frozen=True, slots=True)
class Retry:
    """Not now. ``after_s`` is how long the other side asked to be left alone, where it did."""

    detail: str
    after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """Never: trying again would get the same answer."""

    detail: str


Outcome = Delivered | Retry | Rejected


@dataclass(frozen=True, slots=True)
class Verdict:
    """The end of an alert's way on one channel."""

    status: AlertStatus
    detail: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Try again in so many seconds."""

    seconds: float
    detail: str


@dataclass(frozen=True, slots=True)
class Schedule:
    """When to try again: after ``first_s``, then ``factor`` times as long each, to ``longest_s``.

    Waits hold no chance, so a schedule can be read off. ``attempts_max`` counts the first try,
    ``retry_after_max_s`` bounds what a channel may ask for.
    """

    first_s: float = 1.0
    factor: float = 2.0
    longest_s: float = 300.0
    attempts_max: int = 12
    retry_after_max_s: float = 3600.0

    def wait_s(self, attempts: int) -> float:
        """Seconds to wait after so many failed tries, at least one."""
        # The exponent is bounded: a large one would not fit a float.
        return min(self.first_s * self.factor ** min(attempts - 1, 64), self.longest_s)


def judge(outcome: Outcome, attempts: int, schedule: Schedule) -> Verdict | Wait:
    """What to do after the ``attempts``-th try had this outcome."""
    match outcome:
        case Delivered(detail):
            return Verdict("delivered", _short(detail))
        case Rejected(detail):
            return Verdict("failed", _short(detail))
        case Retry(detail, after_s):
            return _again(_short(detail), after_s or 0.0, attempts, schedule)


def _again(detail: str, after_s: float, attempts: int, schedule: Schedule) -> Verdict | Wait:
    if attempts >= schedule.attempts_max:
        return Verdict("failed", f"gave up after {attempts} tries: {detail}")
    if after_s > schedule.retry_after_max_s:
        limit = f"longer than the {schedule.retry_after_max_s:g} s allowed"
        return Verdict("failed", f"{detail}; asked to wait {after_s:g} s, {limit}")
    return Wait(max(after_s, schedule.wait_s(attempts)), detail)


def _short(detail: str) -> str:
    one_line = " ".join(detail.split())
    return one_line[:DETAIL_LENGTH_MAX]
