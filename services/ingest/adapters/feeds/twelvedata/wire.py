"""Requests to Twelve Data: what is asked, and what came back, unread.

The key travels in a header, never in the address, which ends up in logs.
"""

from collections.abc import Sequence
from typing import NamedTuple

import httpx
from pydantic import SecretStr

from services.ingest.domain.asking import ProviderFault
from shared.events.base import moment
from shared.market.timeframes import Timeframe

_INTERVALS: dict[Timeframe, str] = {
    "1m": "1min",
    "5m": "5min",
    "15m": "15min",
    "1h": "1h",
    "4h": "4h",
    "1d": "1day",
}
# The most that one answer holds.
ROWS_MAX = 5_000


class Received(NamedTuple):
    """An answer: status, what the headers say of credits and of waiting, and the body."""

    status: int
    used: int | None
    left: int | None
    retry_after: str | None
    body: bytes


class Wire:
    """A client of Twelve Data's HTTP interface."""

    def __init__(self, base_url: str, key: SecretStr, timeout_s: float) -> None:
        self._client = httpx.AsyncClient(
            base_url=base_url,
            timeout=timeout_s,
            headers={"Authorization": f"apikey {key.get_secret_value()}"},
        )

    async def series(
        self, names: Sequence[str], timeframe: Timeframe, since: int, until: int
    ) -> Received:
        """Ask for candles that open in ``[since, until)``, times in UTC.

        Raises:
            ProviderFault: nothing came back.
        """
        parameters = {
            "symbol": ",".join(names),
            "interval": _INTERVALS[timeframe],
            "start_date": _when(since),
            "end_date": _when(until - 1),
            "outputsize": str(ROWS_MAX),
            "timezone": "UTC",
            "order": "ASC",
        }
        try:
            answer = await self._client.get("/time_series", params=parameters)
        except httpx.TimeoutException as error:
            raise ProviderFault("timeout", f"no answer in time ({type(error).__name__})") from None
        except httpx.HTTPError as error:
            told = str(error) or type(error).__name__
            raise ProviderFault("connection", told) from None
        return Received(
            answer.status_code,
            _number(answer.headers.get("api-credits-used")),
            _number(answer.headers.get("api-credits-left")),
            answer.headers.get("retry-after"),
            answer.content,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def _when(at: int) -> str:
    return f"{moment(at):%Y-%m-%d %H:%M:%S}"


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() else None
