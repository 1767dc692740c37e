"""Rules as data: versions by content, and no rule that could never fire."""

import hashlib
import json
from typing import Any

import pytest
from pydantic import ValidationError

from services.indicators.domain.catalogue import CATALOGUE
from services.indicators.domain.levels.base import LevelRecipe
from services.signals.domain.dead import dead_parts
from services.signals.domain.names import as_told
from services.signals.domain.rules import RuleSet
from tests.signals.candles import candle_rule
from tests.signals.play import names, rule_set

TOUCH = {"kind": "touch", "within_ticks": 2}


def test_the_version_is_the_digest_of_the_canonical_rule() -> None:
    """SHA-256 of the JSON text with sorted names and no spaces, its first eight digits.

    What is unset is left out, so that a field that comes later makes no new rule of an old one.
    """
    content = {
        "name": "rule",
        "when": {
            "timeframe": "1d",
            "on": "tick",
            "levels": ["previous_day.high"],
            "gap_ticks": 50,
            "kind": "touch",
            "within_ticks": 2,
        },
        "during": [],
        "life": {"fires": "every_time", "rearm_ticks": 10, "cooldown_s": 0},
        "atr": {"kind": "value", "name": "atr:14", "timeframe": "15m"},
    }
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    expected = hashlib.sha256(text.encode()).hexdigest()[:8]
    assert rule_set(TOUCH).rules[0].version == expected


def test_defaults_belong_to_the_version() -> None:
    """Written out or left out, the rule is the same; a new default would be a new rule."""
    assert rule_set({"kind": "touch"}) == rule_set(TOUCH)
    assert rule_set({"kind": "touch"}).version == rule_set(TOUCH).version


def test_a_rule_set_survives_the_spine() -> None:
    """Its body is JSON, and the set built from it is the same."""
    original = rule_set(TOUCH, symbols=["EURUSD", "NIFTY 50"], signals_a_day_max=3)
    assert RuleSet.model_validate(json.loads(json.dumps(original.body))) == original


def test_level_patterns_are_keys_with_stars() -> None:
    """A star stands for any run of characters, a dot only for itself."""
    rule = rule_set(
        {"kind": "touch", "levels": ["pivot.classic.*", "swing.high", "swing:5.*"]}
    ).rules[0]
    assert names(rule, "pivot.classic.r1")
    assert names(rule, "swing.high")
    assert names(rule, "swing:5.low")
    assert not names(rule, "pivotxclassic.r1")
    assert not names(rule, "swing.high.2")


@pytest.mark.parametrize(
    "recipe", [one() for one in CATALOGUE.values() if issubclass(one, LevelRecipe)]
)
def test_usual_parameters_may_be_written_out(recipe: LevelRecipe) -> None:
    """Readings leave them out, and a rule that names them means the same: it could never fire."""
    spelled, told = f"{recipe.name}.{{}}", f"{recipe.key}.{{}}"
    for output in (*recipe.OUTPUTS, "*"):
        assert as_told(spelled.format(output)) == told.format(output)
    assert as_told("swing:21.high") == "swing:21.high"


def test_a_rule_means_levels_and_values_as_readings_spell_them() -> None:
    """Yesterday's channel of 20 is the one without a number; one of 55 keeps it."""
    given = {"kind": "touch", "levels": ["donchian:20.*", "donchian:55.upper"]}
    assert rule_set(given).rules[0].when.levels == (  # type: ignore[union-attr]
        "donchian.*",
        "donchian:55.upper",
    )
    condition = {"kind": "above", "left": "close", "right": "swing:2.high"}
    body = candle_rule(condition).body["rules"][0]["when"]["condition"]
    assert body["right"] == {"kind": "value", "name": "swing.high"}


@pytest.mark.parametrize(
    ("condition", "warned"),
    [
        ({"kind": "breaks_above", "level": "level:swing.high", "ticks": 1}, True),
        ({"kind": "crosses_below", "left": "close", "right": "level:atr_stop.lower@5m"}, True),
        ({"kind": "breaks_above", "level": "level:swing.high@1h", "ticks": 1}, False),
        ({"kind": "sweeps_above", "level": "level:swing.high", "ticks": 1}, False),
        ({"kind": "above", "left": "close", "right": "level:swing.low"}, False),
        ({"kind": "breaks_above", "level": "swing.high", "ticks": 1}, False),
        ({"kind": "breaks_above", "level": "level:previous_day.high@1d", "ticks": 1}, False),
    ],
)
def test_a_close_beyond_a_level_that_it_ends_is_warned_of(
    condition: dict[str, Any], warned: bool
) -> None:
    """A swing that the 15m close breaks is gone from that candle's reading, and its value is not.

    An hour's swing stands until the hour is over, so a 15m candle can close beyond it.
    """
    found = list(dead_parts(candle_rule(condition)))
    assert bool(found) == warned
    assert all("write " in one for one in found)


@pytest.mark.parametrize(
    ("when", "complaint"),
    [
        ({"kind": "sweep"}, "a sweep needs window_s, window_prices or both"),
        ({"kind": "sweep", "window_s": 0}, "greater than or equal to 1"),
        (
            {"kind": "sweep", "window_s": 9, "through_ticks": 5, "depth_ticks_max": 4},
            "no sweep could ever be found",
        ),
        ({"kind": "break", "through_ticks": 10}, "more than when.through_ticks 10"),
        ({"kind": "sweep", "window_s": 9, "back_ticks": 10}, "more than when.back_ticks 10"),
        ({"kind": "touch", "gap_ticks": 0}, "greater than or equal to 1"),
    ],
)
def test_what_could_never_fire_or_never_rest_is_refused(
    when: dict[str, Any], complaint: str
) -> None:
    """A window of nothing, a depth below the pierce, a re-arm distance inside the reach."""
    with pytest.raises(ValidationError, match=complaint):
        rule_set(when)
