"""Fixtures of the tests that run whole services."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _own_tables_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables of one test alone: what is subscribed in it is wanted nowhere else."""
    monkeypatch.setenv("TIDELINE_DATA_DIR", str(tmp_path / "tables"))
