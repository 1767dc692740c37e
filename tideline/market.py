"""What a demo plays: a simulated market, or a recorded file."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Market:
    """Which prices the feed gives; what is None is left to the feed's settings."""

    file: Path | None = None
    speed: float | None = None
    seed: int | None = None
    symbol: str | None = None
    timeframe: str | None = None

    @property
    def name(self) -> str:
        """In one word, for programs."""
        return "simulated" if self.file is None else str(self.file)

    @property
    def title(self) -> str:
        """For people, who must never take it for the real thing."""
        return "a SIMULATED market" if self.file is None else f"recorded prices out of {self.file}"

    @property
    def settings(self) -> dict[str, Any]:
        """The same as the ingest service's own section of settings."""
        found = {
            "feed": "demo" if self.file is None else "file",
            "file": None if self.file is None else str(self.file.absolute()),
            "speed": self.speed,
            "seed": self.seed,
            "file_symbol": self.symbol,
            "file_timeframe": self.timeframe,
        }
        return {name: value for name, value in found.items() if value is not None}

    @property
    def environment(self) -> Mapping[str, str]:
        """The same as environment variables, for every service."""
        found = {f"TIDELINE_INGEST__{name.upper()}": str(v) for name, v in self.settings.items()}
        # A signal on closed candles names no feed, so its alert could not say what made it.
        return found if self.file else found | {"TIDELINE_NOTIFIER__SIMULATED": "true"}
