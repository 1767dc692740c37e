"""TCP ports: is this one free, and which one is."""

import errno
import socket
from collections.abc import Container

from tideline.trouble import Trouble


def free_port(promised: Container[int] = ()) -> int:
    """A loopback port that nobody listens on at the moment, and none of those promised already."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        if port not in promised:
            return port


def complaint(host: str, port: int) -> str | None:
    """Why nobody can listen on the port and how to mend it, or None."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            # As servers do: a port whose last connections are still being forgotten is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except (socket.gaierror, UnicodeError):
        return f"host {host} is unknown; set TIDELINE_PUBLIC_HOST to an address of this machine"
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return f"port {port} is in use; stop what uses it or choose another with --port"
        if error.errno == errno.EACCES:
            return f"port {port} is for root only; choose one above 1023 with --port"
        return f"nobody can listen on {host}:{port} ({error.strerror}); choose another with --port"
    return None


def insist_free(host: str, port: int) -> None:
    """Raise Trouble unless somebody can listen on the port."""
    reason = complaint(host, port)
    if reason is not None:
        raise Trouble(reason)
