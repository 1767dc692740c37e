"""What a demo tells its services of the market that it plays."""

from pathlib import Path

from tideline.market import Market


def test_a_simulated_market_marks_every_alert() -> None:
    """Also those of rules on closed candles, which do not know the feed behind them."""
    assert Market(seed=7).environment == {
        "TIDELINE_INGEST__FEED": "demo",
        "TIDELINE_INGEST__SEED": "7",
        "TIDELINE_NOTIFIER__SIMULATED": "true",
    }


def test_a_recording_marks_none() -> None:
    """Its prices were real once, and its source says that they are recorded."""
    found = Market(Path("/prices.csv"), speed=0.0).environment
    assert found == {
        "TIDELINE_INGEST__FEED": "file",
        "TIDELINE_INGEST__FILE": "/prices.csv",
        "TIDELINE_INGEST__SPEED": "0.0",
    }
