"""What every route does with a question: who asks, which indicators, and what is wrong with it."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from redis.exceptions import RedisError
from starlette.responses import Response

from services.indicators.domain.naming import UnknownName, recipe_of
from services.indicators.domain.recipe import Recipe, RecipeError
from shared.service.encoding import encoded
from shared.service.problems import Problem
from shared.store.errors import StoreError

Names = Iterable[tuple[str, str]]
"""Names of indicators, each with the field that it was given in."""


@contextmanager
def honest() -> Iterator[None]:
    """Tell a log or tables that are away as such.

    Raises:
        Problem: they are.
    """
    try:
        yield
    except (RedisError, StoreError, OSError) as error:
        raise Problem(503, f"{error}; try again soon") from error


def listed(words: str) -> Names:
    return [(word.strip(), "indicators") for word in words.split(",") if word.strip()]


def placed(words: Sequence[str]) -> Names:
    return [(word, f"/indicators/{number}") for number, word in enumerate(words)]


def recipes(names: Names) -> dict[str, Recipe]:
    """The recipes by the names given.

    Raises:
        Problem: a name is no indicator's; it points at the field.
    """
    found: dict[str, Recipe] = {}
    for word, place in names:
        try:
            found[word] = recipe_of(word)
        except UnknownName as error:
            raise field_problem(error, place, error.nearest) from error
        except RecipeError as error:
            raise field_problem(error, place, []) from error
    if not found:
        raise Problem(422, "indicators: name one at least, such as RSI_14", parameter="indicators")
    return found


def field_problem(error: Exception, place: str, nearest: list[str]) -> Problem:
    where = {"pointer" if place.startswith("/") else "parameter": place}
    return Problem(422, str(error), errors=[{**where, "detail": str(error)}], nearest=nearest)


def answer(content: Any, status: int = 200) -> Response:
    return Response(encoded(content), status, media_type="application/json")
