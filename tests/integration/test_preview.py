"""A preview of recorded history is what live play of the same history fired, event by event."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from services.ingest.adapters.sources import instruments
from services.ingest.settings import IngestSection
from services.signals.adapters.recorded import Recorded, Span
from services.signals.adapters.rule_desk import RuleDesk
from services.signals.adapters.rule_files import built_in_names, load
from services.signals.domain.rules import RuleSet
from shared.bus.keys import Keys
from shared.bus.redis_log import RedisLog
from shared.clock import SystemClock
from shared.events import SignalGenerated
from tests.integration.house import build, played_out, running, topic
from tideline.commands.preview import Asked
from tideline.previewing import play_file

pytestmark = pytest.mark.timeout(600)

MINUTES = "demo_fx_gold_1m_20140501_15.csv.gz"
INSTRUMENTS = Path(__file__).parent / "instruments.toml"
MINUTES_PLAYED = 1_700
FAR = 4_000_000_000_000_000


def sets() -> list[RuleSet]:
    """Everything that is shipped."""
    return load(built_in_names(), [])


def bare(signals: list[SignalGenerated]) -> list[dict[str, Any]]:
    """All but the place on the spine, which the spine of another play has not in common."""
    return [signal.model_dump(exclude={"pos"}) for signal in signals]


@pytest.fixture
def everything_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings that switch every shipped set on, and a folder."""
    monkeypatch.setenv("TIDELINE_SIGNALS__SETS", ",".join(built_in_names()))
    monkeypatch.setenv("TIDELINE_INGEST__INSTRUMENTS", str(INSTRUMENTS))
    return tmp_path


async def test_previews_of_every_built_in_set_equal_live_play(
    server_url: str,
    keys: Keys,
    redis_log: RedisLog,
    shared_data: Path,
    everything_on: Path,
) -> None:
    """A day and some hours of recorded minutes through the five services, and then previewed twice:
    out of the log as the API does, and out of the file as the command line does."""
    path = everything_on / "days.csv"
    rows = pl.read_csv(shared_data / "recorded" / MINUTES)
    rows.filter(pl.col("symbol") == "EURUSD").head(MINUTES_PLAYED).write_csv(path)

    async def wanted() -> list[RuleSet]:
        return sets()

    # What the inbox holds stands before the first price: the rules are in force from the start.
    await RuleDesk(redis_log, SystemClock(), wanted).ask()
    section = {"feed": "file", "file": path, "instruments": INSTRUMENTS}
    async with running(build(server_url, keys, section)):
        await played_out(redis_log)
    live = [
        event
        for part in (await topic(redis_log, "signal_generated")).values()
        for event in part
        if isinstance(event, SignalGenerated)
    ]
    compared = 0
    symbols = sorted({signal.symbol for signal in live})
    recorded = Recorded(everything_on / "archive", redis_log)
    for rule_set in sets():
        for symbol in filter(rule_set.covers, symbols):
            expected = [one for one in live if (one.config, one.symbol) == (rule_set.name, symbol)]
            of_log = await recorded.play(rule_set, Span(symbol, 0, FAR))
            assert [hit.signal for hit in of_log.hits] == expected
            of_file = await play_file(rule_set, path, Asked(symbol, None, None, None, None))
            assert bare([hit.signal for hit in of_file.hits]) == bare(expected)
            compared += len(expected)
    assert compared > 20
    assert {one.config for one in live} >= {"liquidity", "structure"}


def test_the_instruments_of_the_recording_are_known() -> None:
    """The file beside this one names what the recordings hold and the house has not."""
    assert instruments(IngestSection(instruments=INSTRUMENTS)).find("EURUSD") is not None
