"""What the live feed counts and tells: calls, rows left out, providers lost and back."""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping

import structlog

from services.ingest.domain.breaker import State
from services.ingest.domain.screening import Dropped
from shared.events.ops import OpsKind
from shared.telemetry.metrics import MetricName, Row

log = structlog.get_logger(__name__)

Announce = Callable[[OpsKind, str, str], Awaitable[None]]
"""Kind, detail and symbol of an ops event."""
_STATES: dict[State, float] = {"closed": 0.0, "probing": 1.0, "open": 2.0}
_EVERYBODY = "*"


class Accounts:
    """The live feed's figures and announcements, one for all partitions of a process."""

    def __init__(self, announce: Announce) -> None:
        self._announce = announce
        self._calls: Counter[tuple[str, str]] = Counter()
        self._dropped: Counter[tuple[str, str]] = Counter()
        self._seen: set[str] = set()
        self._states: dict[str, Callable[[], State]] = {}

    def watch(self, provider: str, state: Callable[[], State]) -> None:
        """Show how a provider is whenever somebody asks."""
        self._states[provider] = state

    def calls(self, provider: str, outcome: str) -> int:
        """How many calls have ended so."""
        return self._calls[provider, outcome]

    async def answered(self, provider: str, *, was_lost: bool) -> None:
        """A call was answered."""
        self._calls[provider, "ok"] += 1
        if was_lost or provider not in self._seen:
            self._seen.add(provider)
            told = "answers again" if was_lost else "answers"
            log.info("provider_answers", provider=provider)
            await self._announce("connection_status", f"{provider} {told}", _EVERYBODY)

    async def failed(self, provider: str, outcome: str, reason: str, *, is_lost: bool) -> None:
        """A call failed; ``is_lost`` where the provider counts as away because of it."""
        self._calls[provider, outcome] += 1
        log.warning("provider_failed", provider=provider, kind=outcome, reason=reason)
        if is_lost:
            told = f"{provider} is lost ({outcome}: {reason}); others are asked meanwhile"
            await self._announce("connection_status", told, _EVERYBODY)

    def refused(self, provider: str, symbol: str, reason: str) -> None:
        """A provider said nothing of one symbol."""
        self._calls[provider, "refused"] += 1
        log.warning("symbol_refused", provider=provider, symbol=symbol, reason=reason)

    async def unserved(self, symbol: str, why: str) -> None:
        """No provider can give a watched symbol's prices."""
        log.warning("symbol_unserved", symbol=symbol, reason=why)
        await self._announce("connection_status", f"nobody gives prices of {symbol}: {why}", symbol)

    def dropped(self, provider: str, counts: Mapping[str, int] | Mapping[Dropped, int]) -> None:
        """Rows of an answer that were left out."""
        for why, count in counts.items():
            self._dropped[provider, why] += count

    def metrics(self) -> Iterator[tuple[MetricName, Iterable[Row]]]:
        """The figures for Prometheus."""
        yield "tideline_provider_calls_total", list(self._calls.items())
        yield "tideline_provider_rows_dropped_total", list(self._dropped.items())
        states = [((name,), _STATES[state()]) for name, state in self._states.items()]
        yield "tideline_provider_state", states
