"""Settings of ways in that have many: pushed prices, and Interactive Brokers."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Port = Annotated[int, Field(ge=1, le=65535)]


ChannelField = Literal["symbol", "at", "price", "bid", "ask", "size", "items", "default_symbol"]
ChannelNames = dict[ChannelField, str]
"""What a channel's messages call things; ``default_symbol`` is for those that name none."""

_CHANNELS: dict[str, ChannelNames] = {
    "ticker:nifty:underlying": {"default_symbol": "NIFTY 50"},
    "ticker:nifty:options": {},
}


class PushSection(BaseModel):
    """Prices that other programs give."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    batch_max: Annotated[int, Field(ge=1, le=100_000)] = Field(
        1_000, description="ticks that one request may hold"
    )
    channels: dict[str, ChannelNames] = Field(
        _CHANNELS,
        description="Redis channels to listen on, each with the names that its messages use where "
        "they are not the usual ones, see docs/push.md",
    )
    aliases: dict[str, str] = Field(
        {"NIFTY": "NIFTY 50", "NIFTY50": "NIFTY 50"},
        description="other programs' symbols, each with ours",
    )


class WatchlistsSection(BaseModel):
    """How many symbols may be watched, and which are where nobody says so."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    symbols_max: Annotated[int, Field(ge=1, le=10_000)] = Field(
        50, description="symbols watched at a time; the most watched come first"
    )
    default: Annotated[tuple[str, ...], Field(min_length=1)] = Field(
        ("DAX", "NDX", "DJI", "EURUSD", "EURGBP"),
        description="symbols watched while nobody watches anything, or the tables are away",
    )


class IbkrSection(BaseModel):
    """Interactive Brokers, by TWS or IB Gateway."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = Field("127.0.0.1", description="where TWS or IB Gateway listens")
    port: Port = Field(
        7496, description="its API port: 7496 TWS, 4001 Gateway, paper 7497 and 4002"
    )
    client_ids: tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(ge=0)]] = Field(
        (10, 25), description="first and last client id; each replica leases one that is free"
    )
    timeout_s: Annotated[float, Field(gt=0)] = Field(10.0, description="longest wait for an answer")
    market_data: Literal["live", "delayed"] = Field(
        "live", description="live, or 15 minutes late for accounts without a subscription"
    )
    tick_by_tick_max: Annotated[int, Field(ge=0)] = Field(
        5, description="symbols followed trade by trade; TWS allows 5 for 100 market data lines"
    )
    silent_s: Annotated[float, Field(gt=0)] = Field(
        90.0, description="a symbol silent for so long in its session is subscribed anew"
    )
