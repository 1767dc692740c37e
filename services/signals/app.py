"""The wiring of the signals service."""

from pathlib import Path

from services.signals.adapters.rule_desk import RuleDesk
from services.signals.adapters.rule_files import RuleFileError, load
from services.signals.domain.step import SignalsStep
from services.signals.settings import SignalsSettings
from shared.bus.step import StageSpec
from shared.clock import Clock
from shared.service.frame import Service
from shared.service.settings import SettingsError

STAGE = StageSpec(
    name="signals",
    primary="tick",
    joined="level_computed",
    output="signal_generated",
    restore=SignalsStep,
)


def build_app(settings: SignalsSettings, clock: Clock | None = None) -> Service:
    """The service: its stage, and the rule sets of the settings on their way to the spine.

    Raises:
        SettingsError: a rule file is wrong, or a port taken.
    """
    section = settings.signals
    try:
        sets = load(section.sets, [Path(path) for path in section.rules])
    except RuleFileError as error:
        raise SettingsError(str(error)) from None
    service = Service("signals", settings, clock)
    service.add_stage(STAGE)
    service.add_background("rules", RuleDesk(service.log, service.clock, sets).run)
    return service
