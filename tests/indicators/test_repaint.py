"""What was published for a closed candle never changes."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks.candle_files import read_all
from benchmarks.repaint import count, everything, main
from services.indicators.domain.recipe import Recipe
from services.indicators.domain.state import State
from shared.events import CandleClosed
from tests.indicators.candles import recorded


def test_no_reading_of_real_minutes_is_rewritten(shared_data: Path) -> None:
    """Two days of EURUSD, prefix by prefix, through everything there is: 0 readings rewritten."""
    path = shared_data / "recorded/demo_fx_gold_1m_20140501_15.csv.gz"
    found = count(list(recorded(path, "EURUSD"))[:2_000], everything())
    assert found.prefixes > 2_000
    assert found.readings > 5_000
    assert found.rewritten == 0


def test_no_reading_of_real_days_is_rewritten(shared_data: Path) -> None:
    """Sixteen years of the DJI, where weeks and months roll: 0 readings rewritten."""
    name, candles = next(
        (name, candles)
        for name, candles in read_all(shared_data / "daily/snowguru")
        if name.startswith("USA30")
    )
    found = count(candles[:1_500], everything())
    assert "1d" in name
    assert found.readings > 3_000
    assert found.rewritten == 0


@dataclass(frozen=True, slots=True)
class Forgetful(Recipe):
    """Counts candles, and forgets to save the count."""

    WORD = "forgetful"

    def start(self) -> State:
        return ForgetfulState()


class ForgetfulState(State):
    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0.0

    def update(self, candle: CandleClosed) -> None:
        self.value += 1.0


def test_what_is_not_saved_is_found(shared_data: Path) -> None:
    """The count is not blind: a state that is not saved whole rewrites all readings but one."""
    path = shared_data / "recorded/demo_fx_gold_1m_20140501_15.csv.gz"
    found = count(list(recorded(path, "EURUSD"))[:50], {"1m": [Forgetful()]})
    assert found.rewritten == 49


def test_command_ends_with_one_json_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The last line is the sum; rows that are no candle are left out, other files are not read."""
    rows = ["ts_utc,symbol,tf,open,high,low,close,volume"]
    rows += [f"2026-11-16T00:{n:02}:00Z,EURUSD,1m,1.1,1.2,1.0,1.1,0" for n in range(5)]
    rows += ["2026-11-16T00:05:00Z,EURUSD,1m,1.1,1.0,1.2,1.1,0", "x,EURUSD,1m,1,1,1,1,0"]
    (tmp_path / "candles.csv").write_text("\n".join(rows))
    (tmp_path / "ticks.csv").write_text("ts_utc,symbol,bid,ask\n2026-11-16,EURUSD,1,2\n")
    assert main(["--data", str(tmp_path)]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    # Five prefixes restored, and those of 1, 2, 3 and 5 candles played anew.
    assert json.loads(last) == {"prefixes": 9, "readings": 16, "rewritten": 0}


def test_folder_without_candles_is_a_failure(tmp_path: Path) -> None:
    """A run that compares nothing does not pass."""
    assert main(["--data", str(tmp_path)]) == 1
    assert main(["--data", str(tmp_path / "absent")]) == 2
