"""What operators want to know: receipts of the running system, on the system's own clock."""

from typing import ClassVar, Literal

from shared.events.base import Event, Name, stamp

OPS = "ops"
OpsKind = Literal[
    "server_start",
    "server_stop",
    "connection_status",
    "first_entry",
    "last_entry",
    "data_stale",
    "data_fresh",
    "fallback",
    "stage_waiting",
    "data_lost",
]


class Ops(Event):
    """Something about the system itself; ``at`` is the wall clock, ``pos`` is always 0.

    The symbol is ``*`` where the event concerns no instrument. One unpartitioned topic.
    """

    TYPE: ClassVar[str] = "ops"
    TOPIC: ClassVar[str] = OPS

    service: Name
    worker: Name
    kind: OpsKind
    detail: Name

    @property
    def id(self) -> str:
        return (
            f"{self.TYPE}:{self.service}:{self.worker}:{self.kind}:{self.symbol}:{stamp(self.at)}"
        )
