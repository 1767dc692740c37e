"""Alerts that wait: their lane, and their record in the state."""

import json

from services.notifier.domain.lane import Lane
from services.notifier.domain.waiting import Waiting
from shared.events.codec import Poison
from tests.notifier.samples import a_signal, an_intent, intents


def test_the_one_due_first_goes_first() -> None:
    """Retries and fresh alerts are served by the time they are due."""
    first, second, third = intents(3)
    lane = Lane(10)
    for intent, due_at in ((first, 300), (second, 100), (third, 200)):
        lane.add(Waiting(intent, due_at))
    assert lane.due_at == 100
    assert [lane.pop().intent for _ in range(3)] == [second, third, first]
    assert lane.due_at is None


def test_those_due_together_keep_their_order() -> None:
    """Alerts that were read together are sent in the log's order."""
    lane = Lane(100)
    read = intents(20)
    for intent in read:
        lane.add(Waiting(intent, 5))
    assert [lane.pop().intent for _ in range(20)] == read


def test_a_full_lane_gives_up_its_oldest() -> None:
    """The newest alerts are worth most; the one that makes room is handed back."""
    first, second, third = intents(3)
    lane = Lane(2)
    assert lane.add(Waiting(first, 900)) is None
    assert lane.add(Waiting(second, 100)) is None
    assert lane.add(Waiting(third, 500)) == Waiting(first, 900)
    assert [lane.pop().intent for _ in range(len(lane))] == [second, third]


def test_a_record_reads_back_as_it_was() -> None:
    """What is saved of a waiting alert is all of it."""
    waiting = Waiting(an_intent("desk", symbol="NIFTY 50"), 17).tried().postponed(23, "HTTP 500 ü")
    assert waiting.attempts == 1
    assert Waiting.parse(waiting.text()) == waiting


def test_a_record_has_a_field_of_its_own() -> None:
    """The field is no symbol's: it begins with @."""
    assert Waiting(an_intent(), 0).field == f"@alert_intent:console:{a_signal().id}"


def test_a_record_that_cannot_be_read_is_named_not_raised() -> None:
    """A record of another version or make becomes a Poison with its reason."""
    for text in ("", "{", "7", "[1, 2]", '[0, 0, "", ["type", "tick"]]'):
        assert isinstance(Waiting.parse(text), Poison)
    future = Waiting(an_intent(), 0).text().replace('"v", "1"', '"v", "9"')
    assert Waiting.parse(future) == Poison(
        tuple(fields_of(future)), "alert_intent version '9' cannot be read, only 1"
    )


def fields_of(text: str) -> list[str]:
    return list(json.loads(text)[3])
