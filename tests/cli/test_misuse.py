"""Whatever is asked wrongly or is missing: one line that names the thing and the mend."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Tideline
from tests.ports import free_port


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["frob"], "tideline: No such command 'frob'; see `tideline --help`"),
        (
            ["demo", "--sede", "3"],
            "tideline demo: No such option: --sede (Possible options: --seconds, --seed, --speed)"
            "; see `tideline demo --help`",
        ),
        (
            ["tail", "quotes"],
            "tideline: there is no topic 'quotes'; choose inbox, pushed, tick, candle_closed, "
            "level_computed, signal_generated, alert_intent, alert_fired, dead_letter and ops",
        ),
        (
            ["run", "mailer"],
            "tideline: there is no service 'mailer'; "
            "choose ingest, indicators, signals, notifier and charts",
        ),
    ],
)
def test_what_is_asked_wrongly_ends_with_2(
    tideline: Tideline, arguments: list[str], told: str
) -> None:
    """An unknown command, option, topic or service."""
    assert tideline(*arguments) == (2, "", told + "\n")


def test_a_value_that_is_none_is_told(tideline: Tideline) -> None:
    """The line names the option and where its help is."""
    code, out, err = tideline("demo", "--seconds", "soon")
    assert (code, out) == (2, "")
    assert err.startswith("tideline demo: Invalid value for '--seconds': ")
    assert err.endswith("; see `tideline demo --help`\n")


def test_nothing_asked_shows_the_help(tideline: Tideline) -> None:
    """All commands, and exit code 2 because nothing was done."""
    code, out, err = tideline()
    assert (code, err) == (2, "")
    assert out.startswith("Usage: tideline")


def test_looking_without_anything_to_look_at(tideline: Tideline) -> None:
    """No launcher here and no REDIS_URL: the line says how to get one."""
    told = (
        "tideline: no tideline is running here; start one with `tideline demo` or `tideline up`, "
        "or set REDIS_URL\n"
    )
    for arguments in (["tail", "tick"], ["topics"]):
        assert tideline(*arguments) == (1, "", told)


@pytest.mark.parametrize("arguments", [["tail", "tick"], ["topics"], ["up"], ["demo"]])
def test_a_server_that_is_not_there(
    tideline: Tideline, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    """REDIS_URL always wins: a given server that is away is told, not replaced."""
    monkeypatch.setenv("REDIS_URL", "redis://me:hush@127.0.0.1:1/0")
    if arguments[0] in {"up", "demo"}:
        arguments = [*arguments, "--port", str(free_port())]
    code, out, err = tideline(*arguments)
    assert (code, out) == (1, "")
    assert err.count("\n") == 1
    assert "Redis at redis://127.0.0.1:1 cannot be reached" in err
    assert err.endswith("start it or correct REDIS_URL\n")
    assert "hush" not in err


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("TIDELINE_FROB", "1", "unknown setting TIDELINE_FROB; see docs/settings.md"),
        ("TIDELINE_LAUNCHER__FROB", "1", "unknown setting TIDELINE_LAUNCHER__FROB; see"),
        ("TIDELINE_PUBLIC_PORT", "http", "setting TIDELINE_PUBLIC_PORT: "),
        ("LOG_LEVEL", "loud", "setting LOG_LEVEL: "),
    ],
)
def test_a_wrong_setting_is_named(
    tideline: Tideline, monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str
) -> None:
    """An unknown or malformed setting stops a command before it does anything."""
    monkeypatch.setenv(name, value)
    code, out, err = tideline("up")
    assert (code, out) == (2, "")
    assert err.startswith(f"tideline: {told}")
    assert err.count("\n") == 1


def test_a_setting_of_one_service_is_checked_before_any_is_started(
    tideline: Tideline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The launcher knows every service's settings."""
    monkeypatch.setenv("TIDELINE_NOTIFIER__RETRY__FACTOR", "-1")
    code, _, err = tideline("up")
    assert code == 2
    assert "TIDELINE_NOTIFIER__RETRY__FACTOR" in err


@pytest.mark.parametrize("command", ["demo", "up"])
def test_a_port_in_use_is_told_before_anything_starts(
    tideline: Tideline, place: Path, command: str
) -> None:
    """The line names the port and the option; nothing was made or started."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert tideline(command, "--port", str(port)) == (
            1,
            "",
            f"tideline: port {port} is in use; stop what uses it or choose another with --port\n",
        )
    assert list(place.iterdir()) == []


def test_a_settings_file_that_cannot_be_read(
    tideline: Tideline, monkeypatch: pytest.MonkeyPatch, place: Path
) -> None:
    """The line names the file and the reason."""
    (place / "tideline.toml").mkdir()
    monkeypatch.setenv("TIDELINE_CONFIG", str(place / "tideline.toml"))
    code, out, err = tideline("config", "show")
    assert (code, out) == (2, "")
    assert err == f"tideline: cannot read settings file {place}/tideline.toml (Is a directory)\n"


def test_a_reader_that_has_seen_enough_is_no_error(place: Path) -> None:
    """`tideline --help | head -1` ends quietly."""
    command = f"{sys.executable} -m tideline --help | true"
    run = subprocess.run(command, shell=True, capture_output=True, check=False, text=True)  # noqa: S602
    assert (run.returncode, run.stderr) == (0, "")


def test_the_version_is_told(tideline: Tideline) -> None:
    """One line with name and number."""
    code, out, _ = tideline("version")
    assert code == 0
    assert out.startswith("tideline 0.")


def test_a_service_that_is_not_there_is_not_healthy(tideline: Tideline) -> None:
    """A health check of nothing says so with exit code 1."""
    port = free_port()
    code, out, _ = tideline("healthcheck", "--port", str(port))
    assert code == 1
    assert out.startswith(f"nothing answers on 127.0.0.1:{port}")
