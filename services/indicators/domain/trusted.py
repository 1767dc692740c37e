"""Building events and values whose content is known to be good, without validating it again.

Validation costs more than everything else that is done with a candle. What is built here holds
numbers of a validated candle, or computed from them; tests read it back through validation.
"""

from functools import cache
from typing import Any, TypeVar

from pydantic import BaseModel

Model = TypeVar("Model", bound=BaseModel)

_new = object.__new__
_set = object.__setattr__


def trusted(model: type[Model], fields: dict[str, Any]) -> Model:
    """A frozen model of these fields: all of them, of the right types, in the model's order."""
    made = _new(model)
    _set(made, "__dict__", fields)
    _set(made, "__pydantic_fields_set__", _names(model))
    _set(made, "__pydantic_extra__", None)
    _set(made, "__pydantic_private__", None)
    return made


@cache
def _names(model: type[BaseModel]) -> set[str]:
    return set(model.model_fields)
