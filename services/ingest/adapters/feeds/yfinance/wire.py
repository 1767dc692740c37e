"""Requests to Yahoo's chart address, made as a browser makes them, or Yahoo turns them away.

See docs/decisions/0012-yahoo-is-asked-directly.md.
"""

from typing import NamedTuple
from urllib.parse import quote

from curl_cffi.requests import AsyncSession, Response
from curl_cffi.requests.exceptions import RequestException, Timeout

from services.ingest.domain.asking import ProviderFault
from shared.market.timeframes import Timeframe

_S = 1_000_000
_BROWSER = "chrome"
_INTERVALS: dict[Timeframe, str] = {
    "1m": "1m",
    "5m": "5m",
    "15m": "15m",
    "1h": "60m",
    "4h": "4h",
    "1d": "1d",
}


class Received(NamedTuple):
    """An answer, unread."""

    status: int
    retry_after: str | None
    body: bytes


class Wire:
    """A client of Yahoo's chart address."""

    def __init__(self, base_url: str, timeout_s: float, parallel: int) -> None:
        self._base = base_url.rstrip("/")
        self._timeout_s = timeout_s
        self._session: AsyncSession[Response] = AsyncSession(
            impersonate=_BROWSER, max_clients=parallel
        )

    async def chart(self, name: str, timeframe: Timeframe, since: int, until: int) -> Received:
        """Ask for candles that open in ``[since, until)``.

        Raises:
            ProviderFault: nothing came back.
        """
        url = f"{self._base}/v8/finance/chart/{quote(name, safe='')}"
        parameters = {
            "interval": _INTERVALS[timeframe],
            "period1": str(since // _S),
            "period2": str(-(-until // _S)),
            "includePrePost": "false",
        }
        try:
            answer = await self._session.get(url, params=parameters, timeout=self._timeout_s)
        except Timeout:
            raise ProviderFault("timeout", f"no answer in {self._timeout_s:g} s") from None
        except RequestException as error:
            raise ProviderFault("connection", str(error).partition(" See ")[0]) from None
        return Received(answer.status_code, answer.headers.get("retry-after"), answer.content)

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()
