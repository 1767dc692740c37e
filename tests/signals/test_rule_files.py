"""Rule files: what is shipped, what a user adds, and how a mistake is told."""

from pathlib import Path

import pytest

from services.signals.adapters.rule_files import RuleFileError, built_in_names, load, read
from services.signals.domain.kinds import AtLevels

GOOD = """
name = "mine"
[[rules]]
name = "near"
when = { kind = "touch", timeframe = "1d", levels = ["previous_day.high"], within_ticks = 2 }
"""


def written(folder: Path, text: str, name: str = "mine.toml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_every_built_in_set_is_named_like_its_file() -> None:
    """What the settings name is what the signals carry."""
    assert "liquidity" in built_in_names()
    assert [rule_set.name for rule_set in load(built_in_names(), [])] == built_in_names()


def test_liquidity_looks_for_all_three_at_both_kinds_of_levels() -> None:
    """Yesterday's high and low and the classic pivots: touch, sweep, break."""
    (liquidity,) = load(["liquidity"], [])
    found = {
        (rule.when.kind, rule.when.levels)
        for rule in liquidity.rules
        if isinstance(rule.when, AtLevels)
    }
    assert found == {
        (kind, levels)
        for kind in ("touch", "sweep", "break")
        for levels in (("previous_day.high", "previous_day.low"), ("pivot.classic.*",))
    }
    assert liquidity.signals_a_day_max == 10


def test_a_file_adds_a_set(tmp_path: Path) -> None:
    """Built-in sets stay on beside a user's own."""
    sets = load(["liquidity"], [written(tmp_path, GOOD)])
    assert [rule_set.name for rule_set in sets] == ["liquidity", "mine"]


def test_a_file_replaces_the_built_in_set_of_its_name(tmp_path: Path) -> None:
    """A changed copy of liquidity takes its place."""
    path = written(tmp_path, GOOD.replace('"mine"', '"liquidity"'))
    (liquidity,) = load(["liquidity"], [path])
    assert [rule.name for rule in liquidity.rules] == ["near"]


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    """Which one is meant cannot be guessed."""
    paths = [written(tmp_path, GOOD, "a.toml"), written(tmp_path, GOOD, "b.toml")]
    with pytest.raises(RuleFileError, match=r"a.toml and .*b.toml both name their set 'mine'"):
        load([], paths)


def test_an_unknown_built_in_set_is_refused() -> None:
    """The message lists what there is."""
    with pytest.raises(RuleFileError, match=r"unknown built-in rule set 'liq' .*, liquidity"):
        load(["liq"], [])


def test_a_missing_file_is_named() -> None:
    """With the setting that has to be mended."""
    with pytest.raises(RuleFileError, match=r"nowhere.toml cannot be read .*TIDELINE_SIGNALS__R"):
        read(Path("nowhere.toml"))


def test_broken_toml_is_named_with_its_line(tmp_path: Path) -> None:
    """The parser's own words say where."""
    with pytest.raises(RuleFileError, match=r"mine.toml is no TOML: .*line 1"):
        read(written(tmp_path, "name = mine"))


NEAR = r"mine.toml: rule 1 \(near\), "


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("within_ticks = 2", "within_tick = 2", NEAR + r"when.within_tick: unknown field; did you "
         r"mean within_ticks\?"),
        ("within_ticks = 2", "within_ticks = -1", NEAR + "when.within_ticks: input should be "
         "greater than or equal to 0, not -1; see docs/rules.md"),
        ("within_ticks = 2", 'within_ticks = "2"', NEAR + "when.within_ticks: input should be a "
         "valid integer, not '2'"),
        ('"touch"', '"tuch"', NEAR + r"when: unknown kind 'tuch'; did you mean touch\?"),
        ('kind = "touch", ', "", NEAR + "when: kind is missing; add one of touch, "
         "break, sweep, retest, enter, leave, candle"),
        ('timeframe = "1d", ', "", NEAR + "when.timeframe: is missing; add it"),
        ('"1d"', '"2d"', NEAR + "when.timeframe: input should be '1m', .* not '2d'"),
        ("within_ticks = 2", 'on = "2h"', NEAR + "when.on: input should be 'tick', .* not '2h'"),
        ("previous_day.high", "previus_day.high", NEAR + r"when.levels: 'previus_day.high' meets "
         "no level; known are .*swing$"),
        ('["previous_day.high"]', "[]", NEAR + "when.levels: tuple should have at least 1 item"),
        ('["previous_day.high"]', '["a", "B!"]', NEAR + r"when.levels\[2\]: string should match"),
        ('name = "near"', 'name = "near"\nhue = 1', NEAR + "hue: unknown field; known are: name, "),
        ('name = "near"', 'name = "near"\nlife = { rearm_ticks = 2 }', r"rule 1 \(near\): "
         "life.rearm_ticks 2 must be more than when.within_ticks 2, .*; make it larger"),
        ('name = "near"', 'name = "Near me"', r"rule 1 \(Near me\), name: string should match"),
        ('name = "near"\n', "", "rule 1, name: is missing; add it"),
        ('name = "mine"', 'nam = "mine"', r"mine.toml: name: is missing; .*\(and 1 more\)"),
        ('name = "mine"', 'name = "mine"\nsymbols = []', "symbols: tuple should have at least 1"),
        ("[[rules]]", "[rules]", "mine.toml: rules: input should be a valid tuple"),
        ("touch", "sweep", NEAR + r"when.within_ticks: unknown field; "),
    ],
)  # fmt: skip
def test_a_mistake_names_file_rule_field_and_mend(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    """One line each, and no traceback's worth of nesting."""
    assert old in GOOD
    with pytest.raises(RuleFileError, match=told) as caught:
        read(written(tmp_path, GOOD.replace(old, new, 1)))
    assert "\n" not in str(caught.value)


DEEP = """
name = "mine"
[[rules]]
name = "deep"
[rules.when]
kind = "candle"
timeframe = "15m"
direction = "long"
[rules.when.condition]
kind = "all"
conditions = [
    { kind = "above", left = "close", right = "sma:20" },
    { kind = "crosses_above", left = "rsi:14@1h", right = 30 },
]
"""
SECOND = r"mine.toml: rule 1 \(deep\), when.condition.conditions\[2\]"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("right = 30", "rihgt = 30", SECOND + ".right: is missing; add it"),
        ("right = 30", "right = 30, by = 2", SECOND + ".by: unknown field; known are: left, right"),
        ('"crosses_above"', '"cross_above"', SECOND + r": unknown kind 'cross_above'; did you mean "
         r"crosses_above\?"),
        ('"rsi:14@1h"', '"rsi:14@1w"', SECOND + ".left.timeframe: input should be '1m'"),
        ('"rsi:14@1h"', '"rsy:14"', SECOND + ".left.name: unknown series 'rsy:14'; known are open"),
        ('"rsi:14@1h"', '{ kind = "value", nam = "x" }', SECOND + ".left.name: is missing"),
        ('"long"', '"up"', "when.direction: input should be 'long' or 'short', not 'up'"),
        ('"all"', '"al"', r"when.condition: unknown kind 'al'; did you mean all\?"),
    ],
)  # fmt: skip
def test_a_mistake_deep_in_a_condition_is_named_by_its_fields(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    """The kinds chosen on the way are no part of the path, for no field is called like that."""
    read(written(tmp_path, DEEP))
    assert old in DEEP
    with pytest.raises(RuleFileError, match=told):
        read(written(tmp_path, DEEP.replace(old, new, 1)))


def test_a_rule_may_not_have_a_twin(tmp_path: Path) -> None:
    """Two rules of one name could not be told apart in a signal's id."""
    twin = GOOD + GOOD.partition('"mine"\n')[2]
    with pytest.raises(RuleFileError, match="rules: more than one rule is named near; rename one"):
        read(written(tmp_path, twin))
