"""What a service answers on its internal port: liveness, readiness, metrics, documents."""

from collections.abc import Callable
from typing import Any

import orjson
from faststream.asgi import AsgiFastStream, AsgiResponse, get
from faststream.redis import RedisBroker
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from shared.service.document_page import page
from shared.service.documents import Document


def internal_app(
    broker: RedisBroker,
    not_ready: Callable[[], list[str]],
    metrics: CollectorRegistry,
    document: Callable[[], Document],
) -> AsgiFastStream:
    """``/livez``, ``/readyz``, ``/metrics``, ``/asyncapi`` and ``/asyncapi.json``.

    Liveness asks nothing but whether the process answers: a log that is away is no reason to
    start it anew.
    """

    @get
    async def live(scope: Any) -> AsgiResponse:
        return _answer(b"alive\n", "text/plain; charset=utf-8")

    @get
    async def ready(scope: Any) -> AsgiResponse:
        wrong = not_ready()
        text = "\n".join(wrong) or "ready"
        return _answer(f"{text}\n".encode(), "text/plain; charset=utf-8", 503 if wrong else 200)

    @get
    async def prometheus(scope: Any) -> AsgiResponse:
        return _answer(generate_latest(metrics), CONTENT_TYPE_LATEST)

    @get
    async def asyncapi(scope: Any) -> AsgiResponse:
        return _answer(page(document()).encode(), "text/html; charset=utf-8")

    @get
    async def asyncapi_json(scope: Any) -> AsgiResponse:
        return _answer(orjson.dumps(document()), "application/json")

    return AsgiFastStream(
        broker,
        asgi_routes=[
            ("/livez", live),
            ("/readyz", ready),
            ("/metrics", prometheus),
            ("/asyncapi", asyncapi),
            ("/asyncapi.json", asyncapi_json),
        ],
    )


def _answer(body: bytes, kind: str, status: int = 200) -> AsgiResponse:
    return AsgiResponse(body, status, headers={"content-type": kind})
