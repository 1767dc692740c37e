"""The sentence of an alert."""

from services.notifier.domain.text import sentence
from tests.notifier.samples import AT, a_signal


def test_sentence_tells_what_which_way_by_which_rule_and_when() -> None:
    """The whole line, word for word."""
    assert sentence(a_signal()) == (
        "EURUSD touched yesterday's high 1.08512 · short · liquidity.previous-day-touch · "
        "2026-11-20 09:15:03Z"
    )


def test_fractions_of_a_second_are_left_out() -> None:
    """People read seconds; the exact time stands in the event."""
    assert sentence(a_signal(at=AT + 999_999)).endswith(" · 2026-11-20 09:15:03Z")


def test_sentence_stays_one_line() -> None:
    """Line breaks inside a reason become spaces."""
    assert "\n" not in sentence(a_signal(reason="DAX broke\nthe high"))


def test_long_reason_is_cut_and_the_rest_kept() -> None:
    """What would be too long loses the end of its reason, not the rule or the time."""
    text = sentence(a_signal(reason="x" * 400))
    assert len(text) == 400
    assert text.endswith("x… · short · liquidity.previous-day-touch · 2026-11-20 09:15:03Z")


def test_names_longer_than_a_text_are_cut_too() -> None:
    """Even absurd names of rules make no text that an event cannot hold."""
    assert len(sentence(a_signal(config="c" * 400, rule="r" * 400))) == 400
