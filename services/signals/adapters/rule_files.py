"""Rule sets out of TOML files, built in or a user's own; whatever is wrong is one line."""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from services.signals.domain.conditions import (
    AtClose,
    AtPrice,
    AtZone,
    Compare,
    Cross,
    Junction,
    Negation,
    Within,
)
from services.signals.domain.conditions import (
    Sequence as Steps,
)
from services.signals.domain.hours import SessionWindow, TimeWindow
from services.signals.domain.kinds import Break, Enter, Leave, Retest, Sweep, Touch
from services.signals.domain.rules import Life, Rule, RuleSet
from services.signals.domain.series import (
    CandlePart,
    Correlated,
    LevelPrice,
    Number,
    Reading,
    ZoneEdge,
)

BUILT_IN = Path(__file__).parents[1] / "rules"
GUIDE = "see docs/rules.md"
Loc = tuple[int | str, ...]
Kinds = Mapping[str, type[BaseModel]]
_PATTERNS: Kinds = {
    "touch": Touch,
    "break": Break,
    "sweep": Sweep,
    "retest": Retest,
    "enter": Enter,
    "leave": Leave,
    "candle": AtClose,
}
_CONDITIONS: Kinds = {
    "above": Compare,
    "below": Compare,
    "crosses_above": Cross,
    "crosses_below": Cross,
    "within": Within,
    **dict.fromkeys(("touches", "breaks_above", "breaks_below"), AtPrice),
    **dict.fromkeys(("sweeps_above", "sweeps_below"), AtPrice),
    **dict.fromkeys(("inside", "enters", "leaves"), AtZone),
    "time": TimeWindow,
    "session": SessionWindow,
    "all": Junction,
    "any": Junction,
    "not": Negation,
    "sequence": Steps,
}
_WINDOWS: Kinds = {"time": TimeWindow, "session": SessionWindow}
_SERIES: Kinds = {
    "candle": CandlePart,
    "value": Reading,
    "level": LevelPrice,
    "zone": ZoneEdge,
    "correlation": Correlated,
    "number": Number,
}
# Fields that offer a choice of kinds.
_CHOICES: Mapping[str, Kinds] = {
    "when": _PATTERNS,
    "condition": _CONDITIONS,
    "left": _SERIES,
    "right": _SERIES,
    "of": _SERIES,
    "level": _SERIES,
    "atr": _SERIES,
}
# Fields that hold several things, each of a kind of its own.
_LISTS: Mapping[str, Kinds] = {
    "conditions": _CONDITIONS,
    "steps": _CONDITIONS,
    "during": _WINDOWS,
}


class RuleFileError(Exception):
    """A rule file is wrong; the message names file, rule and field, and says how to mend it."""


def built_in_names() -> list[str]:
    """The rule sets that are shipped."""
    return sorted(path.stem for path in BUILT_IN.glob("*.toml"))


def load(built_in: Sequence[str], files: Sequence[Path]) -> list[RuleSet]:
    """The named built-in sets and those of the files, by name.

    A file's set takes the place of the built-in one of the same name.

    Raises:
        RuleFileError: a set is unknown, doubled or malformed.
    """
    sets = {name: read(_built_in(name)) for name in built_in}
    given: dict[str, Path] = {}
    for path in files:
        rule_set = read(path)
        if rule_set.name in given:
            raise RuleFileError(
                f"rule files {given[rule_set.name]} and {path} both name their set "
                f"{rule_set.name!r}; rename one"
            )
        given[rule_set.name] = path
        sets[rule_set.name] = rule_set
    return [sets[name] for name in sorted(sets)]


def read(path: Path) -> RuleSet:
    """The rule set of one file.

    Raises:
        RuleFileError: it cannot be read, is no TOML or no rule set.
    """
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise RuleFileError(
            f"rule file {path} cannot be read ({error.strerror}); mend the path in "
            "TIDELINE_SIGNALS__RULES"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RuleFileError(f"rule file {path} is no TOML: {error}") from None
    try:
        return RuleSet.model_validate(content)
    except ValidationError as error:
        details = error.errors(include_url=False)
        raise RuleFileError(f"rule file {path}: {_told(_causes(details), content)}") from None


def complaints(error: ValidationError) -> list[dict[str, str]]:
    """Everything that is wrong with a rule set: a JSON pointer to each field, and the mend."""
    return [
        {
            "pointer": "".join(f"/{field}" for field in _resolved(one["loc"])[0]),
            "detail": _complaint(one),
        }
        for one in _causes(error.errors(include_url=False))
    ]


def _causes(errors: Sequence[ErrorDetails]) -> list[ErrorDetails]:
    """Without those that only follow: a list whose one item is wrong counts as too short."""
    places = [one["loc"] for one in errors]
    return [
        one
        for one in errors
        if one["type"] != "too_short"
        or not any(place[: len(one["loc"])] == one["loc"] != place for place in places)
    ]


def _built_in(name: str) -> Path:
    if name not in built_in_names():
        known = ", ".join(built_in_names())
        raise RuleFileError(
            f"unknown built-in rule set {name!r} in TIDELINE_SIGNALS__SETS; known are: {known}"
        )
    return BUILT_IN / f"{name}.toml"


def _told(errors: Sequence[ErrorDetails], content: Mapping[str, Any]) -> str:
    first, *rest = errors
    more = f" (and {len(rest)} more)" if rest else ""
    where = _where(first["loc"], content)
    return f"{where}{_complaint(first)}{more}"


def _where(loc: Loc, content: Mapping[str, Any]) -> str:
    """``rule 2 (my_touch), when.within_ticks: `` out of ``('rules', 1, 'when', 'touch', ...)``."""
    fields, _ = _resolved(loc)
    if len(fields) < 2 or fields[0] != "rules":
        return f"{_path(fields)}: " if fields else ""
    number = int(fields[1])
    rule = content["rules"][number]
    name = rule.get("name") if isinstance(rule, dict) else None
    heading = f"rule {number + 1}" + (f" ({name})" if isinstance(name, str) else "")
    return f"{heading}, {_path(fields[2:])}: " if fields[2:] else f"{heading}: "


def _resolved(loc: Loc) -> tuple[list[int | str], Kinds]:
    """The fields that lead to an error, and the kinds that the last choice was between.

    A place names the kind chosen after every field that offers a choice, though no field is called
    like that.
    """
    fields: list[int | str] = []
    kinds: Kinds = {}
    chosen = True
    for part in loc:
        if not chosen:
            chosen = True
            continue
        fields.append(part)
        choice = _choice(fields)
        if choice is not None:
            kinds, chosen = choice, False
    return fields, kinds


def _choice(fields: Sequence[int | str]) -> Kinds | None:
    """The kinds that the last of these fields offers, None if it offers no choice."""
    last = fields[-1]
    if isinstance(last, int):
        return _LISTS.get(str(fields[-2]))
    return _CHOICES.get(last)


def _path(parts: Sequence[int | str]) -> str:
    return "".join(
        f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in parts
    ).removeprefix(".")


def _complaint(error: ErrorDetails) -> str:
    message = error["msg"].removeprefix("Value error, ")
    fields, kinds = _resolved(error["loc"])
    match error["type"]:
        case "missing":
            return f"is missing; add it ({GUIDE})"
        case "extra_forbidden":
            return f"unknown field; {_nearest(str(fields[-1]), _fields_at(error['loc']))}"
        case "union_tag_not_found":
            return f"kind is missing; add one of {_listed(kinds)}"
        case "union_tag_invalid":
            return f"unknown kind {error['ctx']['tag']!r}; {_nearest(error['ctx']['tag'], kinds)}"
        case "value_error":
            return message
        case _:
            return f"{message[:1].lower()}{message[1:]}, not {error['input']!r}; {GUIDE}"


def _fields_at(loc: Loc) -> Iterable[str]:
    """The fields that could stand where an unknown one does."""
    _, kinds = _resolved(loc)
    match loc:
        case ("rules", _, "life", _):
            return Life.model_fields
        case ("rules", _, _):
            return Rule.model_fields
        case ("rules", *_, str(kind), _) if kind in kinds:
            return kinds[kind].model_fields
        case _:
            return RuleSet.model_fields


def _nearest(word: str, known: Iterable[str]) -> str:
    near = get_close_matches(word, list(known), n=1)
    return f"did you mean {near[0]}?" if near else f"known are: {_listed(known)}"


def _listed(words: Iterable[str]) -> str:
    return ", ".join(words)
