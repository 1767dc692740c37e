"""A log file that cannot fill the disk."""

from pathlib import Path

BYTES_MAX = 10_000_000


class LogFile:
    """Appends lines; at ``bytes_max`` the file becomes ``NAME.1``, replacing the one before."""

    def __init__(self, path: Path, bytes_max: int = BYTES_MAX) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._bytes_max = bytes_max
        # Unbuffered: what cannot be written now is not kept to fail again.
        self._file = path.open("ab", buffering=0)

    def write(self, line: bytes) -> None:
        """Add a line and make it visible to readers at once.

        Raises:
            OSError: it cannot be written; the next one may be again.
        """
        if self._file.tell() + len(line) >= self._bytes_max:
            self._begin_anew()
        self._file.write(line + b"\n")

    def close(self) -> None:
        self._file.close()

    def _begin_anew(self) -> None:
        self._file.close()
        try:
            self.path.replace(self.path.with_name(f"{self.path.name}.1"))
        finally:
            self._file = self.path.open("ab", buffering=0)
