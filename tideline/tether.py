"""Runs a program that dies with its parent: ``tether.py PARENT_PID SIGNAL PROGRAM ARGUMENT...``.

The kernel keeps the promise (Linux), so it holds when the parent is killed with SIGKILL too. Other
systems have no such promise: there a program is stopped by its parent or by hand. Run by path under
``python -I -S``, which takes 20 ms; it imports nothing of ours.
"""

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1


def _die_with(parent: int, signal_number: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal_number, 0, 0, 0) != 0:
        sys.exit(f"prctl: {os.strerror(ctypes.get_errno())}")
    # The parent may have gone before the promise was made.
    if os.getppid() != parent:
        sys.exit(1)


def main() -> None:
    parent, signal_number, *program = sys.argv[1:]
    if sys.platform == "linux":
        _die_with(int(parent), int(signal_number))
    os.execv(program[0], program)  # noqa: S606


if __name__ == "__main__":
    main()
