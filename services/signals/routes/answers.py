"""What several routes have in common: who asks, and how what goes wrong is told."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi import Header, Path
from pydantic import ValidationError
from redis.exceptions import RedisError
from starlette.responses import Response

from services.signals.adapters.rule_files import complaints
from services.signals.adapters.rule_store import Changed, NameTaken, NotThere
from services.signals.adapters.signal_store import UnknownSignal
from services.signals.domain.rules import RuleSet
from shared.service.encoding import encoded
from shared.service.problems import Problem, documented
from shared.store.errors import StoreError

SetName = Annotated[str, Path(pattern=r"^[a-z][a-z0-9_]{0,39}$", description="for example mine")]
IfMatch = Annotated[
    str | None,
    Header(max_length=100, description="the ETag that was seen; 412 if it is another's by now"),
]

_MEANINGS = {
    400: "the body is no text",
    404: "there is none of that name or id",
    409: "the name is taken",
    412: "it was changed in between; read it again",
    422: "something is missing or malformed; `errors` points at each field",
    503: "the log or the tables cannot be reached",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What the document says of these answers."""
    return documented({status: _MEANINGS[status] for status in (400, *statuses, 422, 503)})


@contextmanager
def told() -> Iterator[None]:
    """Tell what goes wrong with tables and log as a problem."""
    try:
        yield
    except NotThere as error:
        raise Problem(404, f"there is no rule set {str(error)!r}; GET /api/v1/rules") from None
    except UnknownSignal as error:
        raise Problem(404, f"there is no signal {str(error)!r}") from None
    except NameTaken as error:
        raise Problem(409, f"there is a rule set {str(error)!r} already; PUT changes it") from None
    except Changed as error:
        raise Problem(412, f"{error}; read it again", revision=error.revision) from None
    except (RedisError, StoreError, OSError) as error:
        raise Problem(503, f"{error}; try again soon") from None


def rule_set_of(body: Mapping[str, Any], place: str = "") -> RuleSet:
    """The rule set that a body is, or a member of it at ``place``.

    Raises:
        Problem: it is none; every error points at its field.
    """
    try:
        return RuleSet.model_validate(body)
    except ValidationError as error:
        errors = [{**one, "pointer": place + one["pointer"]} for one in complaints(error)]
        first = errors[0]
        where = first["pointer"].lstrip("/") or "the rule set"
        raise Problem(422, f"{where}: {first['detail']}", errors=errors) from None


def revision_of(if_match: str | None) -> int | None:
    """The revision that an ETag stands for.

    Raises:
        Problem: it is no ETag of ours.
    """
    if if_match is None or if_match.strip() == "*":
        return None
    text = if_match.strip().removeprefix("W/").strip('"')
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Problem(412, f"{if_match!r} is no ETag of a rule set; read it again")
    return int(text)


def answer(content: Any, status: int = 200, revision: int | None = None) -> Response:
    """JSON, with an ETag where it is of something that has revisions."""
    headers = {} if revision is None else {"ETag": f'"{revision}"'}
    return Response(encoded(content), status, headers, "application/json")
