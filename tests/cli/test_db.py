"""``tideline db``: tables brought up, looked at and taken back."""

import json
import sqlite3
from pathlib import Path

import pytest

from tests.cli.conftest import Tideline


def revision(file: Path) -> str:
    connection = sqlite3.connect(file)
    try:
        return str(connection.execute("SELECT version_num FROM alembic_version").fetchone()[0])
    finally:
        connection.close()


def test_tables_are_brought_up_and_taken_back(tideline: Tideline, place: Path) -> None:
    """Each step says where the tables are, what they were and what they are now."""
    file = place / ".tideline" / "data" / "ingest.sqlite3"
    code, out, _ = tideline("db", "upgrade", "--service", "ingest")
    assert (code, out) == (0, f"ingest: revision {revision(file)}, was base ({file})\n")
    code, out, _ = tideline("db", "upgrade", "--service", "ingest")
    assert (code, out) == (0, f"ingest: revision {revision(file)}, as it was ({file})\n")
    code, out, _ = tideline("db", "downgrade", "ingest", "base")
    assert code == 0
    assert out.startswith("ingest: revision base, was 0")


def test_what_is_behind_says_how_to_mend_it(tideline: Tideline) -> None:
    """All services with tables, a line or an object each."""
    code, out, _ = tideline("db", "current")
    assert code == 0
    assert "ingest: revision base, this release's is 0" in out
    assert "run `tideline db upgrade`" in out
    _, out, _ = tideline("db", "current", "--json")
    found = [json.loads(line) for line in out.splitlines()]
    assert "ingest" in [one["service"] for one in found]
    assert {one["revision"] for one in found} == {"base"}


def test_the_data_directory_can_be_chosen(
    tideline: Tideline, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its own setting, or with the launcher's other data."""
    monkeypatch.setenv("TIDELINE_LAUNCHER__STATE_DIR", str(place / "state"))
    assert tideline("db", "upgrade", "--service", "ingest")[0] == 0
    assert (place / "state" / "data" / "ingest.sqlite3").exists()
    monkeypatch.setenv("TIDELINE_DATA_DIR", str(place / "mine"))
    assert tideline("db", "upgrade", "--service", "ingest")[0] == 0
    assert (place / "mine" / "ingest.sqlite3").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (("upgrade", "--service", "ingst"), 2, "ingst is no service; those with tables here are"),
        (("downgrade", "charts", "base"), 2, "charts has no tables; those with tables here are"),
        (("downgrade", "ingest", "0815"), 1, "this release cannot bring them to 0815"),
    ],
)
def test_what_cannot_be_done_is_told(
    tideline: Tideline, arguments: tuple[str, ...], code: int, complaint: str
) -> None:
    """One line names the thing and the mend."""
    found, _, err = tideline("db", *arguments)
    assert found == code
    assert complaint in err
    assert err.count("\n") == 1


def test_a_database_that_is_away_is_told(
    tideline: Tideline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without its password."""
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:hush@127.0.0.1:1/tideline")
    code, _, err = tideline("db", "upgrade")
    assert code == 1
    assert "postgresql://127.0.0.1:1/tideline cannot be used" in err
    assert "hush" not in err
