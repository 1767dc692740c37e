"""Wires the notifier: intake, channels, sender."""

import asyncio
import sys
from collections.abc import Sequence

from services.notifier.adapters.channels import Channel
from services.notifier.adapters.channels.console import ConsoleChannel
from services.notifier.adapters.channels.webhook import WebhookChannel
from services.notifier.adapters.meters import Meters
from services.notifier.adapters.outlet import Outlet
from services.notifier.adapters.sender import STAGE, Desk, Sender
from services.notifier.domain.intake import intake_stage
from services.notifier.domain.pacing import Pace
from services.notifier.settings import NotifierSection, NotifierSettings
from shared.bus.session import Session
from shared.clock import Clock
from shared.service.frame import Service


def build_app(settings: NotifierSettings, channels: Sequence[Channel] | None = None) -> Service:
    """The notifier over the channels of its settings, or over these.

    Raises:
        SettingsError: a port is taken.
    """
    service = Service("notifier", settings)
    section = settings.notifier
    used = build_channels(section, service.clock) if channels is None else channels
    outlets = {channel.name: _outlet(channel, section) for channel in used}
    desk = Desk(outlets, service.clock, Meters(service.metrics))

    async def send(session: Session) -> None:
        await Sender(session, desk).run()

    async def keep_open() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.gather(*(channel.close() for channel in used))

    routes = section.routing(tuple(outlets))
    service.add_stage(intake_stage(routes, simulated=section.simulated))
    service.add_partition_task(STAGE, send)
    service.add_background("channels", keep_open)
    return service


def build_channels(section: NotifierSection, clock: Clock) -> list[Channel]:
    """Every channel that is set up: the console, and each webhook."""
    channels: list[Channel] = [ConsoleChannel(sys.stdout, section.console.format)]
    channels += [WebhookChannel(name, one, clock) for name, one in section.all_webhooks.items()]
    return channels


def _outlet(channel: Channel, section: NotifierSection) -> Outlet:
    webhook = section.all_webhooks.get(channel.name)
    schedule = section.retry.schedule()
    if webhook is None:
        return Outlet(channel, schedule, waiting_max=section.waiting_max)
    return Outlet(
        channel,
        schedule,
        Pace(webhook.per_second, webhook.burst),
        webhook.in_flight_max,
        section.waiting_max,
    )
