"""``POST /api/v1/ticks``: prices that other programs give."""

import json
from dataclasses import dataclass
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Header, Request
from redis.exceptions import RedisError

from services.ingest.adapters.feeds.push.inlet import Inlet
from services.ingest.adapters.feeds.push.parse import Batch, Book, Fault, PushedTick, read_batch
from shared.bus.once import Full
from shared.clock import Clock
from shared.service.problems import Problem, documented

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        description="names the batch: its items are then known by their place in it",
    ),
]
# A tick is some 120 bytes of JSON; white space and long names are nobody's fault.
_BYTES_A_TICK = 1_000
_ERRORS_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Wrong:
    """One item that was not taken: its number, the field, the place as a JSON pointer, and why."""

    item: int
    field: str
    pointer: str
    detail: str


@dataclass(frozen=True, slots=True)
class Told:
    """What became of a batch. At most a hundred errors are shown."""

    accepted: int
    duplicate: int
    rejected: int
    errors: list[Wrong]


@dataclass(frozen=True, slots=True)
class Door:
    """Whether prices are taken at all, and how many at once. ``closed`` says why they are not."""

    batch_max: int
    closed: str | None = None


def ticks_router(inlet: Inlet, book: Book, clock: Clock, door: Door) -> APIRouter:
    """The route; a 202 means that what was accepted stands in the log."""
    router = APIRouter(tags=["market"])

    async def ticks(request: Request, idempotency_key: Key = None) -> Told:
        """Take a batch of prices. Each is taken once, however often it is sent."""
        if door.closed is not None:
            raise Problem(409, door.closed)
        rows, base = _rows(await _body(request, door.batch_max))
        if len(rows) > door.batch_max:
            raise _too_many(door.batch_max)
        batch = read_batch(rows, book, clock.now(), idempotency_key)
        errors = [_wrong(fault, base) for fault in batch.faults[:_ERRORS_SHOWN]]
        if not batch.given:
            first = f"{errors[0].pointer}: {errors[0].detail}" if errors else "there are no ticks"
            raise Problem(422, first, errors=errors, rejected=len(batch.faults))
        return await _taken(inlet, batch, errors)

    router.add_api_route(
        "/api/v1/ticks",
        ticks,
        methods=["POST"],
        status_code=202,
        responses=documented(
            {
                400: "no JSON",
                409: "prices come from elsewhere here",
                413: "too many ticks at once",
                422: "nothing in it is a price that can be taken; each error names its item",
                503: "the log is away, or the feed too far behind: send the same again",
            }
        ),
        openapi_extra={"requestBody": _request_body(door.batch_max)},
    )
    return router


async def _taken(inlet: Inlet, batch: Batch, errors: list[Wrong]) -> Told:
    try:
        taken = await inlet.take(batch)
    except Full as error:
        raise Problem(503, f"{error}; send the same again") from None
    except (RedisError, OSError) as error:
        raise Problem(503, f"the log is away ({error}); send the same again") from None
    return Told(taken.accepted, taken.duplicate, len(batch.faults), errors)


async def _body(request: Request, batch_max: int) -> bytes:
    """The request's body, as long as it is not longer than a full batch can be."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > batch_max * _BYTES_A_TICK:
            raise _too_many(batch_max)
    return bytes(body)


def _too_many(batch_max: int) -> Problem:
    return Problem(413, f"at most {batch_max} ticks at once; send several batches", limit=batch_max)


def _rows(body: bytes) -> tuple[list[Any], str]:
    """The items of a body, and the JSON pointer of their list."""
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Problem(400, f"the body is no JSON: {error}") from None
    if isinstance(content, list):
        return content, ""
    ticks = content.get("ticks") if isinstance(content, dict) else None
    if not isinstance(ticks, list):
        raise Problem(422, 'the body must be a list of ticks, or an object {"ticks": [...]}')
    return ticks, "/ticks"


def _wrong(fault: Fault, base: str) -> Wrong:
    field = f"/{fault.field}" if fault.field else ""
    return Wrong(fault.item, fault.field, f"{base}/{fault.item}{field}", fault.detail)


def _request_body(batch_max: int) -> dict[str, Any]:
    tick = PushedTick.model_json_schema()
    tick["properties"]["at"]["type"] = ["string", "number"]
    tick["examples"] = [{"symbol": "EURUSD", "at": "2026-06-10T14:00:01Z", "price": 1.1012}]
    ticks = {"type": "array", "items": tick, "minItems": 1, "maxItems": batch_max}
    listed = {
        "type": "object",
        "properties": {"ticks": ticks},
        "required": ["ticks"],
    }
    schema = json.loads(json.dumps({"anyOf": [listed, ticks]}))
    return {"required": True, "content": {"application/json": {"schema": schema}}}
