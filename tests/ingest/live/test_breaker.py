"""When a failing provider is asked again."""

from services.ingest.domain.breaker import Breaker, BreakerRecipe

S = 1_000_000
RECIPE = BreakerRecipe(failures=3, pause_s=1.0, open_s=15.0, open_max_s=60.0)


def fail(breaker: Breaker, at_s: float, retry_after_s: float | None = None) -> bool:
    return breaker.failed(int(at_s * S), int(at_s * S), retry_after_s)


def test_failures_are_followed_by_growing_pauses_until_it_opens() -> None:
    """One and two seconds, then it is left alone; the third failure loses the provider."""
    breaker = Breaker(RECIPE)
    assert not fail(breaker, 0)
    assert (breaker.again_at, breaker.state(0)) == (1 * S, "closed")
    assert not fail(breaker, 1)
    assert breaker.again_at == 3 * S
    assert fail(breaker, 3)
    assert (breaker.again_at, breaker.state(4 * S)) == (18 * S, "open")


def test_one_probe_decides() -> None:
    """A probe that fails doubles the silence, up to the longest; one that succeeds ends it."""
    breaker = Breaker(RECIPE)
    for at_s in (0, 1, 3):
        fail(breaker, at_s)
    waits = []
    for _ in range(4):
        now = breaker.again_at
        assert breaker.state(now) == "probing"
        assert not breaker.failed(now, now)
        waits.append((breaker.again_at - now) / S)
    assert waits == [30.0, 60.0, 60.0, 60.0]
    assert breaker.succeeded(breaker.again_at)
    assert (breaker.state(0), breaker.is_sound, breaker.again_at) == ("closed", True, 0)
    assert not breaker.succeeded(breaker.again_at)


def test_calls_made_side_by_side_fail_as_one() -> None:
    """What was sent before a failure was known says nothing new."""
    breaker = Breaker(RECIPE)
    assert not breaker.failed(sent_at=0, now=5 * S)
    assert not breaker.failed(sent_at=1, now=6 * S)
    assert not breaker.failed(sent_at=2, now=7 * S)
    assert not breaker.is_lost


def test_the_providers_own_word_counts() -> None:
    """A wait of a minute is waited for; one of a day means that the provider is away."""
    breaker = Breaker(RECIPE)
    assert not fail(breaker, 0, retry_after_s=50.0)
    assert breaker.again_at == 50 * S
    assert fail(breaker, 50, retry_after_s=86_400.0)
    assert breaker.again_at == (50 + 86_400) * S


def test_an_answer_to_an_earlier_call_ends_no_wait() -> None:
    """Of two calls side by side one is told to wait: the other's answer was given before that."""
    breaker = Breaker(RECIPE)
    fail(breaker, 10, retry_after_s=50.0)
    assert not breaker.succeeded(sent_at=9 * S)
    assert (breaker.again_at, breaker.is_sound) == (60 * S, False)
    breaker.succeeded(sent_at=60 * S)
    assert (breaker.again_at, breaker.is_sound) == (0, True)


def test_a_wait_told_to_an_earlier_call_is_waited_for() -> None:
    """It counts as no further failure, but the provider has said when to come again."""
    breaker = Breaker(RECIPE)
    assert not fail(breaker, 10)
    assert not breaker.failed(9 * S, 11 * S, retry_after_s=50.0)
    assert (breaker.again_at, breaker.is_lost) == (61 * S, False)
    assert breaker.failed(9 * S, 12 * S, retry_after_s=86_400.0)
    assert breaker.again_at == (12 + 86_400) * S
