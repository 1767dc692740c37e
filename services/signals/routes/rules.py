"""``/api/v1/rules``: rule sets, kept in tables, in force once the spine has told them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Body, Query
from starlette.responses import Response

from services.signals.adapters.rule_desk import InForce, RuleDesk
from services.signals.adapters.rule_files import built_in_names, load
from services.signals.adapters.rule_store import Kept, Version
from services.signals.adapters.wanted import RuleSets
from services.signals.domain.dead import dead_parts
from services.signals.domain.rules import EVERY_SYMBOL, RuleSet
from services.signals.routes.answers import (
    IfMatch,
    SetName,
    answer,
    problems,
    revision_of,
    rule_set_of,
    told,
)
from shared.bus.redis_reads import RedisReads
from shared.service.caller import LOCAL_USER, User
from shared.service.problems import Problem

Content = Annotated[
    dict[str, Any],
    Body(
        description="a rule set as in a rule file, see docs/rules.md",
        examples=[
            {
                "name": "my_rules",
                "symbols": ["EURUSD"],
                "rules": [
                    {
                        "name": "high_touched",
                        "when": {
                            "kind": "touch",
                            "timeframe": "1d",
                            "levels": ["previous_day.high"],
                        },
                    }
                ],
            }
        ],
    ),
]
# Lines about what rules wait for: a set for every symbol may have thousands.
_WAITS_MAX = 20
Active = Annotated[bool, Query(description="whether the set is switched on at once")]


@dataclass(frozen=True, slots=True)
class ShownSet:
    """A rule set: what it says, where it comes from, and whether that is in force.

    ``applied`` is true once every partition's rules are what they should be: this version, or none
    where the set is not active. ``revision`` counts changes; null where the set is configured.
    """

    name: str
    source: Literal["stored", "configured"]
    is_active: bool
    applied: bool
    version: str
    revision: int | None
    created_at: int | None
    updated_at: int | None
    body: dict[str, Any]
    warnings: list[str]


@dataclass(frozen=True, slots=True)
class Sets:
    """All rule sets, by name."""

    rules: list[ShownSet]


@dataclass(frozen=True, slots=True)
class Versions:
    """What a set was, newest first."""

    name: str
    versions: list[Version]


@dataclass(frozen=True, slots=True)
class BuiltIns:
    """The sets that are shipped, as bodies that can be changed and kept under another name."""

    rules: list[dict[str, Any]]


class RulesApi:
    """The routes of rule sets."""

    def __init__(self, sets: RuleSets, desk: RuleDesk, reads: RedisReads) -> None:
        self._sets = sets
        self._desk = desk
        self._reads = reads

    def mount(self, router: APIRouter) -> None:
        """Add the routes to a router."""
        one = "/api/v1/rules/{name}"
        for method, path, route, model, status, wrong in (
            ("GET", "/api/v1/rules", self.all, Sets, 200, ()),
            ("POST", "/api/v1/rules", self.create, ShownSet, 202, (409,)),
            ("GET", "/api/v1/rule-sets/built-in", self.built_in, BuiltIns, 200, ()),
            ("GET", one, self.get, ShownSet, 200, (404,)),
            ("PUT", one, self.replace, ShownSet, 202, (404, 409, 412)),
            ("DELETE", one, self.delete, None, 202, (404, 409, 412)),
            ("POST", f"{one}/activate", self.activate, ShownSet, 202, (404, 409, 412)),
            ("POST", f"{one}/deactivate", self.deactivate, ShownSet, 202, (404, 409, 412)),
            ("GET", f"{one}/versions", self.versions, Versions, 200, (404,)),
        ):
            router.add_api_route(
                path,
                route,
                methods=[method],
                response_model=model,
                status_code=status,
                responses=problems(*wrong),
                tags=["rules"],
            )

    async def all(self) -> Response:
        """Every rule set, those of rule files and built-in ones that are on included."""
        with told():
            in_force = await self._desk.in_force()
            stored = [self._stored(kept, in_force) for kept in await self._sets.kept.all()]
            found = [*stored, *(_configured(one, in_force) for one in self._configured())]
            return answer(Sets(sorted(found, key=lambda one: one.name)))

    async def built_in(self) -> Response:
        """The rule sets that are shipped, on or not."""
        return answer(BuiltIns([one.body for one in load(built_in_names(), [])]))

    async def get(self, name: SetName) -> Response:
        """One rule set."""
        with told():
            configured = self._sets.configured.get(name)
            if configured is not None:
                warnings = await self._warnings(configured)
                return answer(_configured(configured, await self._desk.in_force(), warnings))
            return await self._shown(await self._sets.kept.get(name), 200)

    async def create(
        self, body: Content, active: Active = True, user: User = LOCAL_USER
    ) -> Response:
        """Keep a new rule set; 202, for the spine tells it a moment later."""
        rule_set = rule_set_of(body)
        self._insist_free(rule_set.name)
        with told():
            kept = await self._sets.kept.create(rule_set, user, is_active=active)
            return await self._changed(kept)

    async def replace(
        self,
        name: SetName,
        body: Content,
        if_match: IfMatch = None,
        user: User = LOCAL_USER,
    ) -> Response:
        """Put another version in place of a rule set; the old one stays among its versions."""
        rule_set = rule_set_of(body)
        self._insist_free(name)
        if rule_set.name != name:
            detail = f"the body's name is {rule_set.name!r}, the path's {name!r}; make them one"
            raise Problem(422, detail, errors=[{"pointer": "/name", "detail": detail}])
        with told():
            kept = await self._sets.kept.replace(rule_set, user, revision_of(if_match))
            return await self._changed(kept)

    async def delete(self, name: SetName, if_match: IfMatch = None) -> Response:
        """Take a rule set away; its versions and signals stay."""
        self._insist_free(name)
        with told():
            await self._sets.kept.delete(name, revision_of(if_match))
            await self._desk.ask()
            return Response(status_code=202)

    async def activate(self, name: SetName, if_match: IfMatch = None) -> Response:
        """Switch a rule set on."""
        return await self._switch(name, if_match, is_active=True)

    async def deactivate(self, name: SetName, if_match: IfMatch = None) -> Response:
        """Switch a rule set off."""
        return await self._switch(name, if_match, is_active=False)

    async def versions(self, name: SetName) -> Response:
        """What a rule set was before."""
        with told():
            return answer(Versions(name, await self._sets.kept.versions(name)))

    async def _switch(self, name: str, if_match: str | None, *, is_active: bool) -> Response:
        self._insist_free(name)
        with told():
            revision = revision_of(if_match)
            kept = await self._sets.kept.switch(name, revision, is_active=is_active)
            return await self._changed(kept)

    async def _changed(self, kept: Kept) -> Response:
        """Ask the spine at once; the desk in the background asks again if this one is lost."""
        await self._desk.ask()
        return await self._shown(kept, 202)

    async def _shown(self, kept: Kept, status: int) -> Response:
        shown = self._stored(kept, await self._desk.in_force(), await self._warnings(kept.rule_set))
        return answer(shown, status, kept.revision)

    def _stored(
        self, kept: Kept, in_force: Sequence[InForce], warnings: Sequence[str] = ()
    ) -> ShownSet:
        name, version = kept.rule_set.name, kept.rule_set.version
        hidden = name in self._sets.configured
        said = [f"the settings have a set {name!r} too, which is in force; rename one"]
        return ShownSet(
            name,
            "stored",
            kept.is_active,
            not hidden and _applied(in_force, name, version if kept.is_active else None),
            version,
            kept.revision,
            kept.created_at,
            kept.updated_at,
            kept.rule_set.body,
            [*(said if hidden else ()), *warnings],
        )

    async def _warnings(self, rule_set: RuleSet) -> list[str]:
        """Symbols of which no price has come, and what the stage says that rules wait for."""
        known = {EVERY_SYMBOL, *await self._reads.viewed("candles")}
        others = sorted({one for rule in rule_set.rules for one in rule.others})
        said = [
            f"no price of {symbol!r} has come yet; rules on it wait"
            for symbol in (*rule_set.symbols, *others)
            if symbol not in known
        ]
        return [*said, *dead_parts(rule_set), *await self._waits(rule_set)]

    async def _waits(self, rule_set: RuleSet) -> list[str]:
        rules = {f"{rule_set.name}.{one.name}@{one.version}": one.name for one in rule_set.rules}
        views = await self._reads.views("signals", await self._reads.viewed("signals"))
        said = [
            f"rule {rules[label]} waits on {symbol} for {', '.join(what)}"
            for symbol, view in sorted(views.items())
            for label, what in orjson.loads(view).get("waiting", {}).items()
            if label in rules
        ]
        more = len(said) - _WAITS_MAX
        return said if more <= 0 else [*said[:_WAITS_MAX], f"{more} more such symbols and rules"]

    def _configured(self) -> list[RuleSet]:
        return list(self._sets.configured.values())

    def _insist_free(self, name: str) -> None:
        """Refuse to change what the settings say.

        Raises:
            Problem: a set of that name is configured.
        """
        if name in self._sets.configured:
            raise Problem(
                409,
                f"the rule set {name!r} comes from the settings (TIDELINE_SIGNALS__SETS or "
                "__RULES); change it there, or take another name",
            )


def _configured(
    rule_set: RuleSet, in_force: Sequence[InForce], warnings: Sequence[str] = ()
) -> ShownSet:
    applied = _applied(in_force, rule_set.name, rule_set.version)
    return ShownSet(
        rule_set.name,
        "configured",
        True,
        applied,
        rule_set.version,
        None,
        None,
        None,
        rule_set.body,
        [*warnings],
    )


def _applied(in_force: Sequence[Mapping[str, str]], name: str, version: str | None) -> bool:
    return all(one.get(name) == version for one in in_force)
