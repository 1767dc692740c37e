"""The wiring of the signals service."""

import asyncio
from pathlib import Path

from services.signals.adapters.relay import Relay
from services.signals.adapters.rule_desk import RuleDesk
from services.signals.adapters.rule_files import RuleFileError, load
from services.signals.adapters.rule_store import RuleStore
from services.signals.adapters.signal_store import SignalStore
from services.signals.adapters.tables import MIGRATIONS, SERVICE
from services.signals.adapters.wanted import RuleSets
from services.signals.adapters.writing_down import WritingDown
from services.signals.api import build_web
from services.signals.domain.step import SignalsStep
from services.signals.settings import SignalsSettings
from shared.bus.step import StageSpec
from shared.clock import Clock
from shared.service.frame import Service
from shared.service.settings import SettingsError
from shared.service.web import serve
from shared.store.replicas import Replicas
from shared.store.store import Store

STAGE = StageSpec(
    name="signals",
    primary="tick",
    joined="level_computed",
    output="signal_generated",
    restore=SignalsStep,
)


def build_app(settings: SignalsSettings, clock: Clock | None = None) -> Service:
    """The service: its stage, the rule sets on their way to the spine, and its tables.

    Raises:
        SettingsError: a rule file is wrong, or a port taken.
    """
    section = settings.signals
    try:
        sets = load(section.sets, [Path(path) for path in section.rules])
    except RuleFileError as error:
        raise SettingsError(str(error)) from None
    service = Service(SERVICE, settings, clock)
    stage = service.add_stage(STAGE)
    relay = Relay(service.log, lambda: stage.partitions)
    store = Store(SERVICE, settings, MIGRATIONS)
    kept = RuleStore(store, service.clock)
    desk = RuleDesk(service.log, service.clock, RuleSets(sets, kept))
    written = SignalStore(store, service.clock)
    service.add_background("rules", desk.run)
    service.add_condition(desk.complaint)
    service.add_background("relay", relay.run)
    service.add_background("writing down", WritingDown(service.log, written).run)
    service.add_background("tables", lambda: closed_at_the_end(store))
    service.add_background("replicas", Replicas(store, service.log, "signals").watch)
    serve(service, [build_web(settings, service.log, service.clock)])
    return service


async def closed_at_the_end(store: Store) -> None:
    """Wait to be cancelled, then close the store's connections."""
    try:
        await asyncio.Event().wait()
    finally:
        await store.close()
