"""Rule sets as plain data: looking through a body without knowing its kinds."""

from collections.abc import Iterator, Mapping
from typing import Any


def tables_in(value: Any) -> Iterator[Mapping[str, Any]]:
    """Every table inside a rule or a set, outer ones first."""
    if isinstance(value, Mapping):
        yield value
        for one in value.values():
            yield from tables_in(one)
    elif isinstance(value, list):
        for one in value:
            yield from tables_in(one)
