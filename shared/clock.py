"""The one place that reads the wall clock or draws a nonce."""

import secrets
import time
from typing import Protocol


class Clock(Protocol):
    """Now, for shells that must know; pure code takes time as an argument."""

    def now(self) -> int:
        """Microseconds since 1970, UTC."""
        ...

    def elapsed(self) -> float:
        """Seconds on a clock that never jumps; only differences mean something."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> int:
        return time.time_ns() // 1000

    def elapsed(self) -> float:
        return time.monotonic()


def nonce() -> str:
    """Eight random bytes as hex: tells two lives of one worker apart."""
    return secrets.token_hex(8)
