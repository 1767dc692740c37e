"""Which levels and signals belong on a chart, wherever they were found."""

from shared.market.timeframes import Timeframe

# Found on one timeframe each, but about the market itself: yesterday's high is the same on every
# chart. Swings, channels, stops and gaps belong to the candles they were found on.
EVERYWHERE = ("previous_", "pivot", "opening_range", "round_number")


def belongs(found_on: Timeframe, key: str, shown_on: Timeframe) -> bool:
    """Whether a level (its key or ref) found on one timeframe is shown on a chart of another."""
    return found_on == shown_on or key.startswith(EVERYWHERE)
