"""What a demo plays: a simulated market, or a recorded file."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Market:
    """Which prices the feed gives; what is None is left to the feed's settings."""

    file: Path | None = None
    speed: float | None = None
    seed: int | None = None

    @property
    def name(self) -> str:
        """In one word, for programs."""
        return "simulated" if self.file is None else str(self.file)

    @property
    def title(self) -> str:
        """For people, who must never take it for the real thing."""
        return "a SIMULATED market" if self.file is None else f"recorded prices out of {self.file}"

    @property
    def environment(self) -> Mapping[str, str]:
        """The same as settings of the ingest service."""
        found = {"FEED": "demo" if self.file is None else "file"}
        if self.file is not None:
            found["FILE"] = str(self.file.absolute())
        if self.speed is not None:
            found["SPEED"] = f"{self.speed:g}"
        if self.seed is not None:
            found["SEED"] = str(self.seed)
        return {f"TIDELINE_INGEST__{name}": value for name, value in found.items()}
