"""The webhook channel: a signed HTTP POST of the alert as JSON."""

import asyncio
import hashlib
import hmac
import json
import string
from email.utils import parsedate_to_datetime
from urllib.parse import quote

import httpx

from services.notifier.domain.delivery import Delivered, Outcome, Rejected, Retry
from services.notifier.domain.intents import AlertIntent
from services.notifier.domain.payload import payload
from services.notifier.settings import WebhookSection
from shared.clock import Clock
from shared.events.base import MICROS_PER_SECOND, micros

# Answers of the 4xx family that may change by themselves.
_PASSING_STATUS = {408, 425, 429}
# An answer's body means nothing to us; what is read of it lets the connection be used again.
_BODY_READ_MAX = 64 * 1024
# And no longer than this: the status has spoken, and others wait for their turn.
_BODY_READ_S = 1.0
# Below the five seconds after which common servers hang up, so that no alert meets the closing.
_IDLE_MAX_S = 3.0
_HEADER_SAFE = "".join(set(string.punctuation) - {"%"}) + " "


class WebhookChannel:
    """Posts alerts to one address.

    2xx is delivered; 408, 425, 429, 5xx, no answer and a broken connection are tried again; any
    other answer is final. Redirects are not followed: the signature is meant for one address.
    """

    def __init__(self, name: str, settings: WebhookSection, clock: Clock) -> None:
        self._name = name
        self._url = settings.url.get_secret_value()
        self._secret = settings.secret.get_secret_value().encode()
        self._timeout_s = settings.timeout_s
        self._clock = clock
        self._turn = asyncio.Semaphore(settings.in_flight_max)
        self._client = httpx.AsyncClient(
            follow_redirects=False,
            headers={"User-Agent": "tideline", "Content-Type": "application/json"},
            limits=httpx.Limits(
                max_connections=settings.in_flight_max, keepalive_expiry=_IDLE_MAX_S
            ),
            timeout=settings.timeout_s,
            # A proxy cannot reach what listens on this machine only.
            trust_env=not settings.is_loopback,
        )

    @property
    def name(self) -> str:
        return self._name

    async def send(self, intent: AlertIntent) -> Outcome:
        async with self._turn:
            try:
                return await self._post(intent)
            except (TimeoutError, httpx.TimeoutException):
                return Retry(f"no answer within {self._timeout_s:g} s")
            except httpx.TransportError as error:
                return Retry(f"{type(error).__name__}: {error}".rstrip(": "))

    async def close(self) -> None:
        await self._client.aclose()

    async def _post(self, intent: AlertIntent) -> Outcome:
        body = json.dumps(payload(intent), ensure_ascii=False, separators=(",", ":")).encode()
        now = self._clock.now()
        headers = signed(body, self._secret, now // MICROS_PER_SECOND)
        headers["Idempotency-Key"] = idempotency_key(intent.id)
        outcome: Outcome | None = None
        try:
            async with (
                asyncio.timeout(self._timeout_s),
                self._client.stream("POST", self._url, content=body, headers=headers) as response,
            ):
                outcome = answered(response.status_code, response.headers.get("Retry-After"), now)
                async with asyncio.timeout(_BODY_READ_S):
                    await _skim(response)
        except (TimeoutError, httpx.TransportError):
            # Its status has spoken already; how the body ends changes nothing.
            if outcome is None:
                raise
        return outcome


def signed(body: bytes, secret: bytes, timestamp_s: int) -> dict[str, str]:
    """The headers that prove who sent the body, and when: HMAC-SHA256 over ``timestamp.body``."""
    mac = hmac.new(secret, b"%d.%b" % (timestamp_s, body), hashlib.sha256)
    return {
        "X-Tideline-Timestamp": str(timestamp_s),
        "X-Tideline-Signature": f"v1={mac.hexdigest()}",
    }


def idempotency_key(intent_id: str) -> str:
    """The intent's id as a header can carry it: what is not printable ASCII is percent-encoded."""
    return quote(intent_id, safe=_HEADER_SAFE)


def answered(status: int, retry_after: str | None, now: int) -> Outcome:
    """What an HTTP status means; ``now`` in microseconds UTC, for a Retry-After that is a date."""
    said = f"HTTP {status}"
    if 200 <= status < 300:
        return Delivered(said)
    if status >= 500 or status in _PASSING_STATUS:
        return Retry(said, retry_after_s(retry_after, now))
    if 300 <= status < 400:
        return Rejected(f"{said}: redirects are not followed, set the final address")
    return Rejected(said)


def retry_after_s(text: str | None, now: int) -> float | None:
    """Seconds that a Retry-After header asks for (RFC 9110, 10.2.3), None where it says nothing."""
    if text is None:
        return None
    if text.strip().isascii() and text.strip().isdigit():
        return float(text)
    try:
        return max(0.0, (micros(parsedate_to_datetime(text)) - now) / MICROS_PER_SECOND)
    except ValueError:
        return None


async def _skim(response: httpx.Response) -> None:
    read = 0
    async for chunk in response.aiter_raw():
        read += len(chunk)
        if read > _BODY_READ_MAX:
            return
