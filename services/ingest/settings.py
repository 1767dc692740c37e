"""What operators can set: which feed, which instruments."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.market.timeframes import Timeframe
from shared.service.settings import ServiceSettings

FeedName = Literal["none", "demo", "file"]


class IngestSection(BaseModel):
    """The feed, and what belongs to it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    feed: FeedName = Field(
        "none", description="where prices come from: demo (simulated), file (recorded) or none"
    )
    symbols: tuple[str, ...] = Field(
        (), description="only these of the feed's instruments; all of them if empty"
    )
    instruments: Path | None = Field(
        None, description="TOML file that adds and changes instruments, see docs/instruments.md"
    )
    seed: Annotated[int, Field(ge=0, lt=2**32)] = Field(
        1, description="which simulated market the demo feed shows"
    )
    speed: Annotated[float, Field(ge=0, le=100_000)] | None = Field(
        None,
        description="times faster than life; unset is 60 for the demo feed and 0, as fast as it "
        "is taken, for a file",
    )
    file: Path | None = Field(None, description="CSV or Parquet file that the file feed plays")
    file_symbol: str | None = Field(None, description="symbol of a file without such a column")
    file_timeframe: Timeframe | None = Field(
        None, description="timeframe of a candle file without such a column"
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.feed == "file" and self.file is None:
            raise ValueError("feed is file, but file is not set; name the recording to play")
        if self.feed == "demo" and self.speed == 0:
            raise ValueError("speed 0 has no meaning for a market without an end; set it above 0")
        return self


class IngestSettings(ServiceSettings):
    """The service's settings."""

    ingest: IngestSection = IngestSection()
