"""What changes between two schemas of one version a reader could not survive.

Allowed within a version: words, looser bounds, more values in an enumeration, and new fields that
may be missing, since readers pass over what they do not know.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Schema = Mapping[str, Any]

_REMARKS = {"title", "description", "default", "examples"}
_LOWER_BOUNDS = {"minimum", "exclusiveMinimum", "minLength", "minItems"}
_UPPER_BOUNDS = {"maximum", "exclusiveMaximum", "maxLength", "maxItems"}


def breaks(old: Schema, new: Schema, where: str = "") -> Iterator[str]:
    """Each change that old readers, or new readers of old entries, stumble over; in one line."""
    for key in sorted((old.keys() | new.keys()) - _REMARKS):
        was, now = old.get(key), new.get(key)
        if was == now:
            continue
        if key == "properties":
            yield from _members(was or {}, now or {}, where)
        elif key == "required":
            yield from _required(was or (), now or (), where)
        elif isinstance(was, dict) and isinstance(now, dict):
            yield from breaks(was, now, where)
        elif key == "anyOf" and was and now and len(was) == len(now):
            for one, other in zip(was, now, strict=True):
                yield from breaks(one, other, where)
        elif not _loosened(key, was, now):
            yield f"{where}: {key} was {was} and is {now}"


def _members(old: Mapping[str, Schema], new: Mapping[str, Schema], where: str) -> Iterator[str]:
    for name, member in old.items():
        here = f"{where}.{name}" if where else name
        if name in new:
            yield from breaks(member, new[name], here)
        else:
            yield f"{here}: is gone"


def _required(old: Sequence[str], new: Sequence[str], where: str) -> Iterator[str]:
    for name in new:
        if name not in old:
            yield f"{where}.{name}: is required now".removeprefix(".")


def _loosened(key: str, was: Any, now: Any) -> bool:
    if key not in _LOWER_BOUNDS | _UPPER_BOUNDS | {"enum"}:
        return False
    if now is None or was is None:
        return now is None
    if key == "enum":
        return set(was) <= set(now)
    return bool(now <= was if key in _LOWER_BOUNDS else now >= was)
