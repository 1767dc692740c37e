"""A port that is taken is told before anything starts."""

import socket

import pytest

from tideline.ports import complaint, free_port, insist_free
from tideline.trouble import Trouble


def test_a_taken_port_is_named_with_the_mend() -> None:
    """The line names the port and the option that chooses another."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(Trouble) as caught:
            insist_free("127.0.0.1", port)
    assert str(caught.value) == (
        f"port {port} is in use; stop what uses it or choose another with --port"
    )


def test_a_free_port_is_free() -> None:
    """Nothing is said about a port nobody listens on."""
    assert complaint("127.0.0.1", free_port()) is None


def test_no_port_is_given_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that was promised to somebody is free until they listen on it, and is not given again."""
    chosen = iter((4001, 4001, 4002))

    class Probe(socket.socket):
        def getsockname(self) -> tuple[str, int]:
            return "127.0.0.1", next(chosen)

    monkeypatch.setattr(socket, "socket", Probe)
    assert free_port() == 4001
    assert free_port({4001}) == 4002


def test_a_port_is_free_right_after_its_server_has_gone() -> None:
    """Connections that the system still remembers do not count."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            server.accept()[0].close()
    assert complaint("127.0.0.1", port) is None


def test_an_unknown_host_is_named() -> None:
    """The line names the host and the setting."""
    assert complaint("no..host", 1) == (
        "host no..host is unknown; set TIDELINE_PUBLIC_HOST to an address of this machine"
    )


def test_an_address_of_another_machine_is_told() -> None:
    """An address that is not ours cannot be listened on (RFC 5737 reserves this one)."""
    assert "192.0.2.1" in str(complaint("192.0.2.1", 8000))
