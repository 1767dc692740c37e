"""Errors as RFC 9457 problem details, each naming what is wrong and how to mend it."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from shared.service.encoding import encoded

MEDIA_TYPE = "application/problem+json"


class Problem(Exception):
    """What goes wrong with a request; ``more`` are further members of the answer."""

    def __init__(self, status: int, detail: str, **more: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.more = more


def problem_response(problem: Problem, instance: str) -> Response:
    """The answer that tells of a problem."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
        "instance": instance,
        **problem.more,
    }
    headers = {"Retry-After": "1"} if problem.status == HTTPStatus.SERVICE_UNAVAILABLE else None
    return Response(encoded(body), problem.status, headers, MEDIA_TYPE)


def documented(meanings: Mapping[int, str]) -> dict[int | str, dict[str, Any]]:
    """What an OpenAPI document says of answers that are problems, by status."""
    return {
        status: {"description": meaning, "content": {MEDIA_TYPE: {}}}
        for status, meaning in meanings.items()
    }


def tell_problems(app: FastAPI) -> None:
    """Let every error of an application be told in this form."""

    @app.exception_handler(Problem)
    async def told(request: Request, problem: Problem) -> Response:
        return problem_response(problem, request.url.path)

    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> Response:
        return problem_response(Problem(error.status_code, str(error.detail)), request.url.path)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        errors = [_told(one["loc"], one["msg"]) for one in error.errors()]
        # The numbers in it are places in a list, or in a text that is no JSON.
        name = next(step for step in reversed(error.errors()[0]["loc"]) if isinstance(step, str))
        message = f"{name}: {errors[0]['detail']}"
        problem = Problem(422, message, parameter=name, errors=errors)
        return problem_response(problem, request.url.path)


def _told(where: Sequence[int | str], what: str) -> dict[str, str]:
    """One error: a JSON pointer into the body, or the parameter's name, and what is wrong."""
    place, *steps = (str(step) for step in where)
    detail = f"{what[:1].lower()}{what[1:]}"
    if place == "body":
        return {"pointer": "".join(f"/{step}" for step in steps), "detail": detail}
    return {"parameter": ".".join(steps), "detail": detail}
