"""Building events and values whose content is known to be good, without validating it again.

Validation costs more than everything else that is done with a tick or a candle. What is built here
holds what was validated before, or numbers computed from that; tests read it back through
validation.
"""

from functools import cache
from typing import Any, TypeVar

from pydantic import BaseModel

Model = TypeVar("Model", bound=BaseModel)

_new = object.__new__
# The slots that a model is made of, behind the frozen surface; their descriptors are the quickest
# way there is.
_set_fields = BaseModel.__dict__["__dict__"].__set__
_set_names = BaseModel.__dict__["__pydantic_fields_set__"].__set__
_set_extra = BaseModel.__dict__["__pydantic_extra__"].__set__
_set_private = BaseModel.__dict__["__pydantic_private__"].__set__


def trusted(model: type[Model], fields: dict[str, Any]) -> Model:
    """A frozen model of these fields: all of them, of the right types, in the model's order.

    Measured on CPython 3.11 and pydantic 2.14 for a tick: a sixth of the time of ``Tick()``, a
    tenth of that of ``model_construct``.
    """
    made = _new(model)
    _set_fields(made, fields)
    _set_names(made, _names(model))
    _set_extra(made, None)
    _set_private(made, None)
    return made


@cache
def _names(model: type[BaseModel]) -> set[str]:
    return set(model.model_fields)
