"""What follows from a channel's answer, and when to try again."""

import pytest

from services.notifier.domain.delivery import (
    Delivered,
    Outcome,
    Rejected,
    Retry,
    Schedule,
    Verdict,
    Wait,
    judge,
)

SCHEDULE = Schedule(first_s=1, factor=2, longest_s=60, attempts_max=5, retry_after_max_s=600)


def test_waits_double_up_to_the_longest() -> None:
    """1, 2, 4, 8, 16, 32 seconds, then a minute each."""
    waits = [SCHEDULE.wait_s(attempts) for attempts in range(1, 9)]
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]


def test_a_wait_exists_for_any_number_of_attempts() -> None:
    """A thousand failed tries do not overflow."""
    assert Schedule(attempts_max=1000).wait_s(1000) == 300


@pytest.mark.parametrize(
    ("outcome", "attempts", "expected"),
    [
        (Delivered("HTTP 204"), 1, Verdict("delivered", "HTTP 204")),
        (Rejected("HTTP 410"), 1, Verdict("failed", "HTTP 410")),
        (Retry("HTTP 500"), 1, Wait(1, "HTTP 500")),
        (Retry("HTTP 500"), 3, Wait(4, "HTTP 500")),
        (Retry("HTTP 429", after_s=30), 1, Wait(30, "HTTP 429")),
        (Retry("HTTP 429", after_s=0), 3, Wait(4, "HTTP 429")),
        (Retry("HTTP 500"), 5, Verdict("failed", "gave up after 5 tries: HTTP 500")),
        (
            Retry("HTTP 429", after_s=601),
            1,
            Verdict("failed", "HTTP 429; asked to wait 601 s, longer than the 600 s allowed"),
        ),
    ],
)
def test_every_outcome_ends_or_waits(
    outcome: Outcome, attempts: int, expected: Verdict | Wait
) -> None:
    """Delivered and rejected end at once; a retry waits, longer if asked to, and not for ever."""
    assert judge(outcome, attempts, SCHEDULE) == expected


def test_detail_is_one_short_line() -> None:
    """Whatever a channel says fits into a receipt."""
    verdict = judge(Rejected("no\n\n" + "x" * 2000), 1, SCHEDULE)
    assert verdict.detail == "no " + "x" * 297
