"""A log file that cannot fill the disk."""

from pathlib import Path

BYTES_MAX = 10_000_000


class LogFile:
    """Appends lines; at ``bytes_max`` the file becomes ``NAME.1``, replacing the one before."""

    def __init__(self, path: Path, bytes_max: int = BYTES_MAX) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._bytes_max = bytes_max
        self._file = path.open("ab")

    def write(self, line: bytes) -> None:
        """Add a line and make it visible to readers at once."""
        if self._file.tell() + len(line) >= self._bytes_max:
            self._file.close()
            self.path.replace(self.path.with_name(f"{self.path.name}.1"))
            self._file = self.path.open("ab")
        self._file.write(line + b"\n")
        self._file.flush()

    def close(self) -> None:
        self._file.close()
