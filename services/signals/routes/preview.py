"""``POST /api/v1/rules/preview``: would it have fired?"""

from dataclasses import dataclass
from typing import Annotated, Any, NoReturn

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from services.signals.adapters.recorded import DAY_US, Recorded, Span, TooMuch
from services.signals.adapters.rule_files import built_in_names, load
from services.signals.adapters.wanted import RuleSets
from services.signals.domain.preview import Hit, Outlook, Report
from services.signals.domain.rules import RuleSet
from services.signals.routes.answers import answer, problems, rule_set_of, told
from shared.events.base import Micros
from shared.market.timeframes import Timeframe
from shared.service.problems import Problem

_DEFAULT_DAYS = 30


class Question(BaseModel):
    """Which rules, on which symbol, when: ``since <= time < until``, unless given the 30 days up to
    the symbol's newest price.

    Either ``rule_set``, a body that need not be kept, or ``name``: of a kept, configured or
    shipped one. ``horizon`` is the timeframe of the candles that returns are measured in.
    """

    model_config = ConfigDict(extra="forbid")

    symbol: Annotated[str, Field(min_length=1, max_length=40)]
    rule_set: dict[str, Any] | None = None
    name: Annotated[str, Field(max_length=40)] | None = None
    since: Micros | None = None
    until: Micros | None = None
    horizon: Timeframe | None = None


@dataclass(frozen=True, slots=True)
class ShownHit:
    """A signal that would have been told, and the returns after so many candles, as shares of the
    price, positive where the price went the signal's way; null where the past ends before."""

    id: str
    at: int
    rule: str
    action: str
    direction: str
    timeframe: str
    level: str
    level_price: float
    price: float
    gap: bool
    reason: str
    operands: dict[str, float]
    returns: dict[str, float | None]


@dataclass(frozen=True, slots=True)
class Previewed:
    """What a rule set would have done. ``waiting`` names what rules had no number of at the end:
    such a rule could not fire."""

    name: str
    version: str
    symbol: str
    since: int
    until: int
    hits: list[ShownHit]
    suppressed: int
    by_day: dict[str, int]
    by_rule: dict[str, int]
    outlook: dict[str, Outlook]
    prices: int
    candles: int
    waiting: dict[str, list[str]]


class PreviewApi:
    """The route of previews."""

    def __init__(self, sets: RuleSets, recorded: Recorded) -> None:
        self._sets = sets
        self._recorded = recorded

    def mount(self, router: APIRouter) -> None:
        """Add the route to a router."""
        router.add_api_route(
            "/api/v1/rules/preview",
            self.preview,
            methods=["POST"],
            response_model=Previewed,
            responses=problems(404),
            tags=["rules"],
        )

    async def preview(self, body: Question) -> Response:
        """Play the live rules over the recorded past; every hit, and what the price did then."""
        with told():
            newest = await self._recorded.newest(body.symbol)
        if newest is None:
            raise Problem(404, f"no price of {body.symbol!r} has come yet")
        until = newest + 1 if body.until is None else body.until
        since = max(0, until - _DEFAULT_DAYS * DAY_US) if body.since is None else body.since
        if since >= until:
            _refuse("/since", f"since {since} must be before until {until}")
        with told():
            rule_set = await self._rule_set(body)
            if not rule_set.covers(body.symbol):
                _refuse(
                    "/symbol",
                    f"the rule set does not look at {body.symbol!r}; its symbols: "
                    f"{', '.join(rule_set.symbols)}",
                )
            span = Span(body.symbol, since, until)
            try:
                report = await self._recorded.play(rule_set, span, body.horizon)
            except TooMuch as error:
                _refuse("/since", str(error))
        return answer(_shown(rule_set, span, report))

    async def _rule_set(self, body: Question) -> RuleSet:
        if (body.rule_set is None) == (body.name is None):
            _refuse("/rule_set", "give either rule_set or name")
        if body.rule_set is not None:
            return rule_set_of(body.rule_set, "/rule_set")
        name = body.name or ""
        if name in self._sets.configured:
            return self._sets.configured[name]
        if name in built_in_names() and name not in {
            kept.rule_set.name for kept in await self._sets.kept.all()
        }:
            return load([name], [])[0]
        return (await self._sets.kept.get(name)).rule_set


def _refuse(pointer: str, detail: str) -> NoReturn:
    """Tell what is wrong with a member of the body.

    Raises:
        Problem: always.
    """
    raise Problem(422, f"{pointer[1:]}: {detail}", errors=[{"pointer": pointer, "detail": detail}])


def _shown(rule_set: RuleSet, span: Span, report: Report) -> Previewed:
    return Previewed(
        rule_set.name,
        rule_set.version,
        span.symbol,
        span.since,
        span.until,
        [_hit(hit) for hit in report.hits],
        report.suppressed,
        report.by_day(),
        report.by_rule(),
        {str(after): outlook for after, outlook in report.outlook().items()},
        report.prices,
        report.candles,
        report.waiting,
    )


def _hit(hit: Hit) -> ShownHit:
    signal = hit.signal
    return ShownHit(
        id=signal.id,
        at=signal.at,
        rule=signal.rule,
        action=signal.action,
        direction=signal.direction,
        timeframe=signal.timeframe,
        level=signal.level,
        level_price=signal.level_price,
        price=signal.price,
        gap=signal.gap,
        reason=signal.reason,
        operands=signal.operands,
        returns={str(after): value for after, value in hit.returns.items()},
    )
