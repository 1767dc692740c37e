"""The doctor names what is missing and how to mend it."""

import json
import socket
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.cli.conftest import Tideline


def findings(out: str) -> dict[str, dict[str, Any]]:
    """The last finding of each kind, by what was looked at."""
    return {one["what"]: one for one in json.loads(out)["findings"]}


def test_a_machine_that_has_everything(
    tideline: Tideline, monkeypatch: pytest.MonkeyPatch, free_port: int
) -> None:
    """Nothing that is looked at has to be mended."""
    monkeypatch.setenv("TIDELINE_PUBLIC_PORT", str(free_port))
    code, out, err = tideline("doctor", "--json")
    states = {what: one["state"] for what, one in findings(out).items() if what != "disk"}
    assert states == dict.fromkeys(
        ["python", "settings", "embedded server", "services", "port", "page", "tables"], "ok"
    )
    assert (code, err) == (0, "")


def test_a_port_in_use_fails(tideline: Tideline, monkeypatch: pytest.MonkeyPatch) -> None:
    """The finding names the port, and the exit code is 1."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        monkeypatch.setenv("TIDELINE_PUBLIC_PORT", str(port))
        # Where no service answers, whatever else runs on this machine.
        monkeypatch.setenv("TIDELINE_INTERNAL_PORT", "1")
        code, out, _ = tideline("doctor")
    assert code == 1
    assert f"fail  port: port {port} is in use; stop what uses it" in out
    assert out.splitlines()[-1].endswith("1 to mend")


def test_tables_are_looked_at_and_not_made(
    tideline: Tideline, monkeypatch: pytest.MonkeyPatch, place: Path
) -> None:
    """Where they will be, where they are, or why they cannot be reached."""
    file = place / ".tideline" / "data" / "ingest.sqlite3"
    assert f"ok    tables: ingest has none yet; they will be in {file}" in tideline("doctor")[1]
    assert not (place / ".tideline").exists()
    tideline("db", "upgrade", "--service", "ingest")
    assert "ok    tables: ingest at revision 0001 in" in tideline("doctor")[1]
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:hush@127.0.0.1:1/tideline")
    code, out, _ = tideline("doctor")
    assert code == 1
    assert "fail  tables: the tables at postgresql://127.0.0.1:1/tideline cannot be used" in out
    assert "hush" not in out


def test_a_given_server_is_examined(
    tideline: Tideline, monkeypatch: pytest.MonkeyPatch, server_url: str
) -> None:
    """Version, eviction, persistence and memory of the server that REDIS_URL names."""
    monkeypatch.setenv("REDIS_URL", server_url)
    _, out, _ = tideline("doctor", "--json")
    found = findings(out)
    assert found["server"]["state"] == "ok"
    assert " is Valkey " in found["server"]["found"]
    assert found["memory"]["found"].endswith("MB used, no limit set")
    assert "embedded server" not in found


def test_a_given_server_that_evicts_fails(
    tideline: Tideline, monkeypatch: pytest.MonkeyPatch, own_server: str
) -> None:
    """And one that appends to no file is worth a warning."""
    monkeypatch.setenv("REDIS_URL", own_server)
    with redis.Redis.from_url(own_server) as client:
        client.config_set("maxmemory-policy", "volatile-ttl")
        client.config_set("appendonly", "no")
        client.config_set("maxmemory", "1mb")
    code, out, _ = tideline("doctor")
    assert code == 1
    assert "fail  server: Valkey may evict keys (maxmemory-policy volatile-ttl)" in out
    assert "warn  server: Valkey does not append to a file" in out
    assert "warn  memory:" in out


def test_a_server_that_is_away_fails(tideline: Tideline, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line with the address and the mend."""
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1")
    code, out, _ = tideline("doctor")
    assert code == 1
    assert "fail  server: Redis at redis://127.0.0.1:1 cannot be reached" in out


def test_settings_that_cannot_be_loaded_are_the_only_finding(
    tideline: Tideline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without them nothing else can be looked at."""
    monkeypatch.setenv("TIDELINE_FROB", "1")
    code, out, _ = tideline("doctor", "--json")
    assert code == 1
    assert list(findings(out)) == ["settings"]


def test_a_directory_that_cannot_be_written_to_fails(
    tideline: Tideline, monkeypatch: pytest.MonkeyPatch, place: Path
) -> None:
    """A file where a directory should be is named."""
    (place / "file").touch()
    monkeypatch.setenv("TIDELINE_LAUNCHER__STATE_DIR", str(place / "file" / "state"))
    code, out, _ = tideline("doctor")
    assert code == 1
    assert f"fail  disk: {place}/file cannot be written to" in out
