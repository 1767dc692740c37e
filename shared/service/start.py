"""What a container runs: a service as its first process, which can be told to stop from the start.

``python -m shared.service.start services.ingest``. The kernel drops a signal to the first process
of a container unless there is a handler, and importing a service takes a second: told to stop
within it, the container would stay until it is killed. So there is one before anything is
imported; the service puts its own in its place when there is something to stop in good order.
"""

import os
import runpy
import signal
import sys
from types import FrameType


def main() -> None:
    """Run the module that is named."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)
    runpy.run_module(sys.argv[1], run_name="__main__", alter_sys=True)


def _end(number: int, frame: FrameType | None) -> None:
    # At once, for an import that is interrupted would tell it as an error.
    os._exit(0)


if __name__ == "__main__":
    main()
