"""Which rule sets are to be in force: those of the settings and those that users keep."""

from collections.abc import Mapping, Sequence

import structlog

from services.signals.adapters.rule_store import RuleStore
from services.signals.domain.rules import RuleSet

log = structlog.get_logger(__name__)


class RuleSets:
    """The union of both. A name stands for one set only: a user's set cannot take a configured
    one's, and where the settings take a user's name later, they win and the log says so."""

    def __init__(self, configured: Sequence[RuleSet], kept: RuleStore) -> None:
        self.configured: Mapping[str, RuleSet] = {one.name: one for one in configured}
        self.kept = kept
        self._complained: set[str] = set()

    async def __call__(self) -> list[RuleSet]:
        """All of them, by name.

        Raises:
            StoreError: the tables cannot be used.
        """
        active = {one.name: one for one in await self.kept.active()}
        for name in sorted(active.keys() & self.configured.keys() - self._complained):
            log.error(
                "rule_set_hidden",
                rule_set=name,
                reason="a rule file or built-in set of the settings has the same name; rename one",
            )
            self._complained.add(name)
        found = {**active, **self.configured}
        return [found[name] for name in sorted(found)]
