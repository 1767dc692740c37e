"""What operators can set: which feed, which instruments."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, SecretStr, model_validator

from services.ingest.sections import IbkrSection, PushSection, WatchlistsSection
from shared.market.instruments import Kind
from shared.market.timeframes import Timeframe
from shared.service.settings import ServiceSettings

FeedName = Literal["none", "demo", "file", "push", "live"]
ProviderName = Literal["yfinance", "yfinance_stream", "twelvedata", "ibkr", "push"]
Side = Literal["last", "bid", "ask", "mid"]

_TWELVE_DATA_FIRST: tuple[ProviderName, ...] = ("twelvedata", "yfinance")
_YAHOO: tuple[ProviderName, ...] = ("yfinance",)


class YfinanceSection(BaseModel):
    """Yahoo, asked for candles or listened to."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    base_url: str = Field(
        "https://query1.finance.yahoo.com", description="where Yahoo's charts are asked for"
    )
    stream_url: str = Field(
        "wss://streamer.finance.yahoo.com/?version=2",
        description="Yahoo's WebSocket, for the source yfinance_stream",
    )
    interval_s: Annotated[float, Field(ge=1)] = Field(
        60.0, description="how often each watched symbol is asked for"
    )
    timeout_s: Annotated[float, Field(gt=0)] = Field(10.0, description="longest wait for an answer")
    parallel: Annotated[int, Field(ge=1, le=32)] = Field(
        4, description="requests under way at once"
    )
    price: Side = Field(
        "last", description="which price of the WebSocket counts: last, bid, ask or mid"
    )


class TwelveDataSection(BaseModel):
    """Twelve Data, which is paid for in credits."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    base_url: str = Field("https://api.twelvedata.com", description="where Twelve Data is asked")
    key: SecretStr | None = Field(
        None, description="its key; without one the next source in the row is used"
    )
    credits_minute: Annotated[int, Field(ge=1)] = Field(
        8, description="credits a minute of your plan, shared by all replicas"
    )
    credits_day: Annotated[int, Field(ge=1)] | None = Field(
        800, description="credits a day of your plan; null for a plan without such a limit"
    )
    interval_s: Annotated[float, Field(ge=1)] = Field(
        60.0, description="how often each watched symbol is asked for, if the credits allow"
    )
    timeout_s: Annotated[float, Field(gt=0)] = Field(10.0, description="longest wait for an answer")
    batch: Annotated[int, Field(ge=1, le=120)] = Field(8, description="symbols in one request")


class SourcesSection(BaseModel):
    """Which providers give the prices of a kind of instrument: the first one that can."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    index: tuple[ProviderName, ...] = Field(_YAHOO, description="providers of indices, in order")
    fx: tuple[ProviderName, ...] = Field(
        _TWELVE_DATA_FIRST, description="providers of currencies, in order"
    )
    metal: tuple[ProviderName, ...] = Field(
        _TWELVE_DATA_FIRST, description="providers of spot metals, in order"
    )
    crypto: tuple[ProviderName, ...] = Field(
        _YAHOO, description="providers of crypto currencies, in order"
    )
    future: tuple[ProviderName, ...] = Field(_YAHOO, description="providers of futures, in order")
    option: tuple[ProviderName, ...] = Field(_YAHOO, description="providers of options, in order")
    volatility: tuple[ProviderName, ...] = Field(
        _YAHOO, description="providers of volatility indices, in order"
    )
    equity: tuple[ProviderName, ...] = Field(
        _YAHOO, description="providers of shares and funds, in order"
    )

    def named(self) -> frozenset[ProviderName]:
        """Every provider that some kind is asked of."""
        rows = (getattr(self, kind) for kind in type(self).model_fields)
        return frozenset(name for row in rows for name in row)

    def of(self, kind: Kind) -> tuple[ProviderName, ...]:
        """The providers of a kind of instrument, in order; none of a kind not listed."""
        chosen: tuple[ProviderName, ...] = getattr(self, kind, ())
        return chosen


class IngestSection(BaseModel):
    """The feed, and what belongs to it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    feed: FeedName = Field(
        "none",
        description="where prices come from: live (asked of providers), demo (simulated), file "
        "(recorded), push (given by other programs) or none",
    )
    symbols: tuple[str, ...] = Field(
        (), description="only these of the feed's instruments; all of them if empty"
    )
    instruments: Path | None = Field(
        None, description="TOML file that adds and changes instruments, see docs/instruments.md"
    )
    holidays: bool = Field(
        True,
        description="keep the exchanges' holidays and half-days; else only those of the "
        "instrument file",
    )
    seed: Annotated[int, Field(ge=0, lt=2**32)] = Field(
        1, description="which simulated market the demo feed shows"
    )
    speed: Annotated[float, Field(ge=0, le=100_000)] | None = Field(
        None,
        description="times faster than life; unset is 60 for the demo feed and 0, as fast as it "
        "is taken, for a file",
    )
    start: AwareDatetime | None = Field(
        None,
        description="with speed and the live feed: the market's time at which a simulated day "
        "begins, for providers that are stubs",
    )
    file: Path | None = Field(None, description="CSV or Parquet file that the file feed plays")
    file_symbol: str | None = Field(None, description="symbol of a file without such a column")
    file_timeframe: Timeframe | None = Field(
        None, description="timeframe of a candle file without such a column"
    )

    sources: SourcesSection = SourcesSection()
    yfinance: YfinanceSection = YfinanceSection()
    twelvedata: TwelveDataSection = TwelveDataSection()
    ibkr: IbkrSection = IbkrSection()
    push: PushSection = PushSection()
    watchlists: WatchlistsSection = WatchlistsSection()
    stale_after_s: Annotated[float, Field(ge=5, le=86_400)] = Field(
        60.0,
        description="least age of a symbol's newest price, in its session, at which its data count "
        "as stale; slower symbols have longer, see docs/freshness.md",
    )

    recorder: bool = Field(
        False,
        description="keep every topic in the archive; `tideline up` does unless told not to, see "
        "docs/archive.md",
    )
    recorder_every_s: Annotated[float, Field(ge=0.05, le=3_600)] = Field(
        300.0,
        description="how often a partition is recorded; what is not yet is read from the log",
    )

    @property
    def takes_pushed(self) -> bool:
        """Whether other programs may give prices: of all symbols, or of the kinds they come first
        for."""
        chains = (getattr(self.sources, kind) for kind in type(self.sources).model_fields)
        first = any(chain[:1] == ("push",) for chain in chains)
        return self.feed == "push" or (self.feed == "live" and first)

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
