"""The webhook channel, spoken to over a real socket."""

import asyncio
import hashlib
import hmac
import json
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pydantic import SecretStr

from services.notifier.adapters.channels import webhook
from services.notifier.adapters.channels.webhook import WebhookChannel, answered, retry_after_s
from services.notifier.domain.delivery import Delivered, Outcome, Rejected, Retry
from services.notifier.settings import WebhookSection
from tests.notifier.bench import NEVER_S, PATIENCE_S, until
from tests.notifier.receiver import Answer, Receiver, Script, receiving
from tests.notifier.samples import AT, an_intent, intents

SECRET = "correct horse battery staple"


class FixedClock:
    """Half past nine and 250 ms, for ever."""

    def now(self) -> int:
        return AT + 250_000

    def elapsed(self) -> float:
        return 0.0


@asynccontextmanager
async def wired(
    script: Script | None = None, **settings: Any
) -> AsyncIterator[tuple[Receiver, WebhookChannel]]:
    """A receiver, and a channel that posts to it."""
    async with receiving(script) as receiver:
        channel = desk(receiver.url, **settings)
        yield receiver, channel
        await channel.close()


def desk(url: str, **settings: Any) -> WebhookChannel:
    """A channel named desk, which waits long enough for any machine unless told otherwise."""
    given = {"timeout_s": PATIENCE_S, **settings}
    section = WebhookSection(url=SecretStr(url), secret=SecretStr(SECRET), **given)
    return WebhookChannel("desk", section, FixedClock())


def always(answer: Answer) -> Callable[[Any], Answer]:
    return lambda _: answer


async def test_alert_arrives_as_documented_json() -> None:
    """The body is one flat JSON object of version 1."""
    async with wired() as (receiver, channel):
        intent = an_intent("desk")
        assert await channel.send(intent) == Delivered("HTTP 204")
        (request,) = receiver.requests
        body = json.loads(request.body)
        assert request.path == "/alerts"
        assert request.headers["content-type"] == "application/json"
        assert (body["type"], body["version"], body["id"]) == ("alert", 1, intent.id)
        assert (body["at"], body["time"]) == (AT, "2026-11-20T09:15:03Z")
        assert body["text"] == intent.text
        assert {type(value) for value in body.values()} <= {str, int, float, bool, type(None)}


async def test_signature_is_hmac_over_timestamp_and_body() -> None:
    """Whoever knows the secret can recompute the signature from what arrived."""
    async with wired() as (receiver, channel):
        await channel.send(an_intent("desk"))
        (request,) = receiver.requests
        timestamp = request.headers["x-tideline-timestamp"]
        assert timestamp == str(AT // 1_000_000)
        message = timestamp.encode() + b"." + request.body
        expected = hmac.new(SECRET.encode(), message, hashlib.sha256).hexdigest()
        assert request.headers["x-tideline-signature"] == f"v1={expected}"


async def test_key_is_the_same_at_every_try() -> None:
    """The idempotency key is made of the alert alone."""
    async with wired(always(Answer(status=500))) as (receiver, channel):
        for _ in range(2):
            await channel.send(an_intent("desk"))
        assert receiver.keys == [an_intent("desk").id] * 2


async def test_key_of_a_name_beyond_ascii_is_percent_encoded() -> None:
    """A header holds ASCII only; the body's id stays as it is."""
    async with wired() as (receiver, channel):
        intent = an_intent("desk", config="müde 100%")
        assert await channel.send(intent) == Delivered("HTTP 204")
        assert receiver.keys == [intent.id.replace("ü", "%C3%BC").replace("100%", "100%25")]
        assert json.loads(receiver.requests[0].body)["id"] == intent.id


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (200, Delivered("HTTP 200")),
        (202, Delivered("HTTP 202")),
        (301, Rejected("HTTP 301: redirects are not followed, set the final address")),
        (307, Rejected("HTTP 307: redirects are not followed, set the final address")),
        (400, Rejected("HTTP 400")),
        (404, Rejected("HTTP 404")),
        (408, Retry("HTTP 408")),
        (410, Rejected("HTTP 410")),
        (425, Retry("HTTP 425")),
        (429, Retry("HTTP 429")),
        (500, Retry("HTTP 500")),
        (503, Retry("HTTP 503")),
    ],
)
async def test_status_decides(status: int, expected: Outcome) -> None:
    """2xx is delivered, what may pass is tried again, everything else is final."""
    headers = {"Location": "http://127.0.0.1:9/elsewhere"}
    async with wired(always(Answer(status=status, headers=headers))) as (receiver, channel):
        assert await channel.send(an_intent("desk")) == expected
        assert len(receiver.requests) == 1


async def test_retry_after_is_read_in_seconds() -> None:
    """429 with Retry-After says how long to stay away."""
    answer = Answer(status=429, headers={"Retry-After": "17"})
    async with wired(always(answer)) as (_, channel):
        assert await channel.send(an_intent("desk")) == Retry("HTTP 429", after_s=17.0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, None),
        ("120", 120.0),
        (" 7 ", 7.0),
        ("Fri, 20 Nov 2026 09:15:33 GMT", 30.0),
        ("Fri, 20 Nov 2026 09:00:00 GMT", 0.0),
        ("Fri, 20 Nov 2026 09:15:33", None),
        ("-3", None),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(text: str | None, expected: float | None) -> None:
    """RFC 9110 allows both; what is neither says nothing."""
    assert retry_after_s(text, AT) == expected


def test_retry_after_counts_for_any_passing_status() -> None:
    """503 may name a time too."""
    assert answered(503, "5", AT) == Retry("HTTP 503", 5.0)


async def test_slow_receiver_is_tried_again() -> None:
    """No answer in time is no answer."""
    async with wired(always(Answer(after_s=NEVER_S)), timeout_s=0.05) as (_, channel):
        assert await channel.send(an_intent("desk")) == Retry("no answer within 0.05 s")


async def test_answer_that_drips_counts_by_its_status() -> None:
    """A receiver that never ends its body has delivered nonetheless, and holds nobody up."""
    answer = Answer(status=200, body=b"x" * 100, body_s=NEVER_S)
    async with wired(always(answer)) as (_, channel):
        assert await channel.send(an_intent("desk")) == Delivered("HTTP 200")


async def test_huge_answer_is_not_read_to_its_end() -> None:
    """The body of an answer is not wanted."""
    answer = Answer(status=200, body=b"x" * 50_000_000)
    async with wired(always(answer)) as (_, channel):
        assert await channel.send(an_intent("desk")) == Delivered("HTTP 200")


async def test_connection_reset_is_tried_again() -> None:
    """Hanging up is temporary, and names no address."""
    async with wired(always(Answer(reset=True))) as (_, channel):
        outcome = await channel.send(an_intent("desk"))
        assert isinstance(outcome, Retry)
        assert "127.0.0.1" not in outcome.detail


async def test_nobody_listening_is_tried_again() -> None:
    """A receiver that is down may come back."""
    with socket.socket() as taken:
        # A port that is ours and refuses, where a free one could become somebody else's.
        taken.bind(("127.0.0.1", 0))
        channel = desk(f"http://127.0.0.1:{taken.getsockname()[1]}/alerts")
        outcome = await channel.send(an_intent("desk"))
        await channel.close()
    assert isinstance(outcome, Retry)
    assert outcome.detail.startswith("ConnectError")
    assert "127.0.0.1" not in outcome.detail


async def test_connections_are_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten alerts one after the other need one connection, however long the machine rests."""
    monkeypatch.setattr(webhook, "_IDLE_MAX_S", NEVER_S)
    async with wired(always(Answer(status=200, body=b'{"ok":true}'))) as (receiver, channel):
        for intent in intents(10, "desk"):
            await channel.send(intent)
        assert receiver.connections == 1


async def test_requests_at_once_are_bounded() -> None:
    """However many partitions send, a receiver sees no more than it was promised."""
    gate = asyncio.Event()
    async with wired(always(Answer(gate=gate)), in_flight_max=3) as (receiver, channel):
        outcomes = asyncio.gather(*(channel.send(one) for one in intents(12, "desk")))
        await until(lambda: receiver.open_now == 3)
        gate.set()
        assert await outcomes == [Delivered("HTTP 204")] * 12
        assert receiver.open_max == 3


async def test_waiting_for_a_turn_is_no_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock of a try begins when it is sent, not when it queues: here for an hour."""
    loop = asyncio.get_running_loop()
    time = loop.time
    async with wired(in_flight_max=1) as (_, channel):
        async with channel._turn:
            outcomes = asyncio.gather(*(channel.send(one) for one in intents(4, "desk")))
            await asyncio.sleep(0)
            monkeypatch.setattr(loop, "time", lambda: time() + NEVER_S)
        assert await outcomes == [Delivered("HTTP 204")] * 4


async def test_proxies_of_the_environment_are_left_out_for_this_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A proxy cannot reach a loopback address, so it is not asked."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    async with wired() as (_, channel):
        assert await channel.send(an_intent("desk")) == Delivered("HTTP 204")


def test_the_http_client_logs_no_address_at_any_level() -> None:
    """httpx would log each URL, which may hold a token; our logging keeps it quiet."""
    code = (
        "import logging; from shared.telemetry.logs import configure; configure('debug', 'json');"
        "raise SystemExit(logging.getLogger('httpx').isEnabledFor(logging.INFO))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
