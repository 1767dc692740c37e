"""The HTTP routes of signals, put together; each set is a module of ``routes``. See docs/api.md."""

from pathlib import Path

from fastapi import APIRouter

from services.signals.adapters.recorded import Recorded
from services.signals.adapters.rule_desk import RuleDesk
from services.signals.adapters.rule_files import RuleFileError, load
from services.signals.adapters.rule_store import RuleStore
from services.signals.adapters.signal_store import SignalStore
from services.signals.adapters.tables import MIGRATIONS, SERVICE
from services.signals.adapters.wanted import RuleSets
from services.signals.routes.preview import PreviewApi
from services.signals.routes.rules import RulesApi
from services.signals.routes.signals import SignalsApi
from services.signals.settings import SignalsSettings
from shared.bus.redis_log import RedisLog
from shared.bus.redis_reads import RedisReads
from shared.clock import Clock
from shared.service.settings import SettingsError
from shared.service.web import Web
from shared.store.store import Store


def build_web(settings: SignalsSettings, log: RedisLog, clock: Clock) -> Web:
    """The routes of signals, over the log and the tables of the settings.

    Raises:
        SettingsError: a rule file is wrong, or ``DATABASE_URL`` is no PostgreSQL.
    """
    section = settings.signals
    try:
        configured = load(section.sets, [Path(path) for path in section.rules])
    except RuleFileError as error:
        raise SettingsError(str(error)) from None
    store = Store(SERVICE, settings, MIGRATIONS)
    reads = RedisReads(log.redis, log.keys)
    sets = RuleSets(configured, RuleStore(store, clock))
    router = APIRouter()
    PreviewApi(sets, Recorded(settings.archive, log)).mount(router)
    RulesApi(sets, RuleDesk(log, clock, sets), reads).mount(router)
    SignalsApi(SignalStore(store, clock), reads).mount(router)
    return Web(router, store.kept)
