"""The settings in force can be checked and shown, and no secret with them."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Tideline
from tideline.catalogue import settings, values
from tideline.settings import classes


def test_every_wrong_setting_is_named_at_once(
    tideline: Tideline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A check goes through all services before it ends with 1."""
    monkeypatch.setenv("TIDELINE_NOTIFIER__RETRY__FACTOR", "-1")
    monkeypatch.setenv("TIDELINE_SIGNALS__FROB", "1")
    code, out, _ = tideline("config", "check")
    assert code == 1
    assert "TIDELINE_NOTIFIER__RETRY__FACTOR" in out
    assert "TIDELINE_SIGNALS__FROB" in out


def test_right_settings_are_confirmed(tideline: Tideline) -> None:
    """The defaults are well."""
    assert tideline("config", "check") == (0, f"all {len(settings())} settings are well\n", "")


def test_secrets_are_masked(tideline: Tideline, monkeypatch: pytest.MonkeyPatch) -> None:
    """Addresses lose user and password, other secrets show nothing of themselves."""
    monkeypatch.setenv("REDIS_URL", "redis://me:hush@redis.example:6380/1")
    monkeypatch.setenv("TIDELINE_NOTIFIER__WEBHOOK__URL", "https://example.org/hush")
    monkeypatch.setenv("TIDELINE_NOTIFIER__WEBHOOK__SECRET", "hush-hush-hush-hush")
    _, out, _ = tideline("config", "show")
    assert "hush" not in out
    lines = out.splitlines()
    assert "REDIS_URL=redis://redis.example:6380" in lines
    assert "TIDELINE_NOTIFIER__WEBHOOK__SECRET=********" in lines


def test_what_is_set_is_shown(
    tideline: Tideline, monkeypatch: pytest.MonkeyPatch, place: Path
) -> None:
    """The environment comes before .env, and .env before the file."""
    (place / "tideline.toml").write_text(
        'namespace = "file"\nlog_format = "json"\npartitions = 3\n'
    )
    (place / ".env").write_text("TIDELINE_NAMESPACE=dotenv\nTIDELINE_PARTITIONS=4\n")
    monkeypatch.setenv("TIDELINE_NAMESPACE", "environment")
    _, out, _ = tideline("config", "show", "--json")
    found = json.loads(out)
    assert found["TIDELINE_NAMESPACE"] == "environment"
    assert found["TIDELINE_PARTITIONS"] == "4"
    assert found["TIDELINE_LOG_FORMAT"] == "json"


def test_every_default_can_be_set_as_it_is_shown(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Uncommenting a line of .env.example changes nothing."""
    assert place.is_dir()
    defaults = values({section: cls.load() for section, cls in classes().items()})
    for one in settings():
        # An optional section is in force only once what it needs is given.
        if one.default and one.name in defaults:
            monkeypatch.setenv(one.name, one.default)
    again = values({section: cls.load() for section, cls in classes().items()})
    assert {name: again[name] for name in defaults if name != "TIDELINE_WORKER"} == {
        name: value for name, value in defaults.items() if name != "TIDELINE_WORKER"
    }
