"""How much one commit may carry. A script holds the server for everybody until it is done."""

from collections.abc import Mapping, Sequence

from shared.bus.log import BusError, Lease
from shared.bus.outputs import Outputs
from shared.events.spine import Tick

# Some thirty milliseconds of the server. Our batches hold 500 entries; a close of many symbols
# makes more of them.
ENTRIES_MAX = 5_000
# The server keeps a command whole in memory, and a replica's and a reader's buffers as well.
BYTES_MAX = 4_000_000
# A tick's fields are all bounded, so that nobody has to measure the one event that is frequent:
# a name of 400 characters, a symbol of 40, five numbers.
_TICK_BYTES = 600
_NUMBER_BYTES = 24


class TooLarge(BusError):
    """A commit that is not sent, because it is larger than one may be."""


def check(lease: Lease, outputs: Sequence[Outputs], *texts: Mapping[str, str]) -> None:
    """Let a commit of these outputs and fields pass if it is no larger than one may be.

    Raises:
        TooLarge: it is larger.
    """
    entries = sum(map(len, outputs))
    size = sum(map(_size, outputs))
    for mapping in texts:
        size += sum(len(name) + len(text) for name, text in mapping.items())
    if entries > ENTRIES_MAX or size > BYTES_MAX:
        raise TooLarge(
            f"a commit of stage {lease.stage}, partition {lease.partition} would hold "
            f"{entries:,} entries and {size:,} bytes; one holds at most {ENTRIES_MAX:,} entries "
            f"and {BYTES_MAX:,} bytes"
        )


def _size(run: Outputs) -> int:
    if run.type == Tick.TYPE:
        return len(run) * _TICK_BYTES
    names = sum(map(len, run.names)) + 40
    values = sum(len(one) if isinstance(one, str) else _NUMBER_BYTES for one in run.values)
    return len(run) * names + values
