"""A channel together with the limits it is used under."""

from dataclasses import dataclass, field

from services.notifier.adapters.channels import Channel
from services.notifier.domain.delivery import Schedule
from services.notifier.domain.pacing import Pace

# More than one read can bring: a channel that answers at once never has to queue.
UNBOUNDED = 1_000


@dataclass(frozen=True, slots=True)
class Outlet:
    """What all partitions of a process share of one channel.

    ``in_flight_max`` and ``waiting_max`` count per partition, ``pace`` over all of them.
    """

    channel: Channel
    schedule: Schedule = field(default_factory=Schedule)
    pace: Pace = field(default_factory=Pace)
    in_flight_max: int = UNBOUNDED
    waiting_max: int = 1_000
