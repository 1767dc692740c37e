"""HTTP servers inside a service: bound before anything starts, stopped with the service."""

import contextlib
import socket
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import uvicorn

from shared.service.settings import SettingsError

# Longer than clients and proxies keep a quiet connection (5 to 60 s), so that it is they who hang
# up: what is asked in the very moment in which we do is not answered.
_KEEP_ALIVE_S = 75


def bind(host: str, port: int, setting: str) -> socket.socket:
    """Take a port.

    Raises:
        SettingsError: somebody else has it, or it is not ours to take.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    taken = socket.socket(family, socket.SOCK_STREAM)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((host, port))
        # Else another process could bind it too, until one of the two listens.
        taken.listen()
    except OSError as error:
        taken.close()
        raise SettingsError(
            f"port {port} on {host} cannot be used ({error.strerror}); set {setting} to another"
        ) from None
    return taken


class Server(uvicorn.Server):
    """uvicorn without its own signal handling: the service decides when to stop."""

    def __init__(self, app: Any, *, sockets: bool) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                lifespan="off",
                log_level="warning",
                access_log=False,
                # Only a public application may have WebSockets, and its image then the package.
                ws="websockets-sansio" if sockets and find_spec("websockets") else "none",
                timeout_graceful_shutdown=2,
                timeout_keep_alive=_KEEP_ALIVE_S,
            )
        )

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def stop(self) -> None:
        """End ``serve`` once open requests are answered."""
        self.should_exit = True
