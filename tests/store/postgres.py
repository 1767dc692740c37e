"""A real PostgreSQL of the tests' own, where Debian's packages or PATH have one."""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.ports import free_port

_PATIENCE_S = 60.0
# A server refuses to run as root; nobody has no home that it could spoil.
_UNPRIVILEGED = ("postgres", "nobody")


def binaries() -> Path | None:
    """The folder of the newest server found, or None."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"),
        key=lambda path: float(path.parent.name) if path.parent.name.isdigit() else 0.0,
    )
    on_path = shutil.which("postgres")
    if on_path is not None:
        found.append(Path(on_path).resolve().parent)
    return next((path for path in reversed(found) if (path / "initdb").exists()), None)


@contextmanager
def running(bin_dir: Path) -> Iterator[str]:
    """A private server on a free loopback port, gone afterwards; its address without a database."""
    with tempfile.TemporaryDirectory(prefix="tideline-pg-") as folder:
        user = _unprivileged(Path(folder))
        data = Path(folder) / "data"
        made = subprocess.run(
            [
                str(bin_dir / "initdb"),
                "-D",
                str(data),
                "-U",
                "tideline",
                "-A",
                "trust",
                "-N",
                "-E",
                "UTF8",
            ],
            check=False,
            capture_output=True,
            text=True,
            user=user,
        )
        assert made.returncode == 0, made.stderr
        port = free_port()
        options = {
            "port": port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": folder,
            "fsync": "off",
            "max_connections": 60,
        }
        flags = [text for name, value in options.items() for text in ("-c", f"{name}={value}")]
        command = [str(bin_dir / "postgres"), "-D", str(data), *flags]
        log = (Path(folder) / "log").open("wb")
        with log, subprocess.Popen(command, stdout=log, stderr=log, user=user) as process:
            try:
                _wait_for(bin_dir, port, process, Path(folder) / "log")
                yield f"postgresql://tideline@127.0.0.1:{port}"
            finally:
                process.send_signal(2)  # SIGINT: end now, whoever is still connected
                process.wait(_PATIENCE_S)


def _unprivileged(folder: Path) -> int | None:
    """Somebody who is not root, to whom the folder is given; None if we are not root ourselves."""
    if os.getuid() != 0:
        return None
    names = {one.pw_name: one for one in pwd.getpwall()}
    user = next(names[name] for name in _UNPRIVILEGED if name in names)
    os.chown(folder, user.pw_uid, user.pw_gid)
    return user.pw_uid


def _wait_for(bin_dir: Path, port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + _PATIENCE_S
    command = [str(bin_dir / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
    while subprocess.run(command, check=False).returncode != 0:
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < until, log.read_text()
        time.sleep(0.1)
