"""Where running launchers leave their logs, sockets and the note by which commands find them.

One directory per launcher, named by its process id, under a directory only its user can read. A
launcher holds a lock in its own, so that whatever a killed one left is told apart and swept.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from tideline.trouble import Trouble

_LOCK = "lock"
_NOTE = "running.json"


class Running(BaseModel):
    """A launcher at work, as other commands need to know it.

    ``environment`` is what its services have beyond its own: their tables' place, their market.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    pid: int
    mode: str
    redis_url: str
    namespace: str
    page: str
    started_at: int
    environment: dict[str, str] = {}


def default_root() -> Path:
    """``tideline-UID`` in the system's place for temporary files."""
    try:
        place = Path(tempfile.gettempdir())
    except FileNotFoundError:  # a file system that nothing can be written to, as in containers
        place = Path("/tmp")  # noqa: S108 where launchers are looked for, and none will be found
    return place / f"tideline-{os.getuid()}"


def private(path: Path) -> Path:
    """Make a directory that only we can read, or insist that it is ours.

    Raises:
        Trouble: it cannot be made or belongs to somebody else.
    """
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        owner = path.stat().st_uid
    except OSError as error:
        raise Trouble(
            f"{path} cannot be made ({error.strerror}); set TIDELINE_LAUNCHER__RUN_DIR"
        ) from error
    if owner != os.getuid():
        raise Trouble(f"{path} belongs to somebody else; set TIDELINE_LAUNCHER__RUN_DIR")
    return path


@contextmanager
def held(path: Path, *, waiting: bool = True) -> Iterator[None]:
    """Hold a lock file for the time of the block, after whoever holds it now.

    Raises:
        BlockingIOError: somebody holds it, and that is not to be waited for.
    """
    with path.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX if waiting else fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


def is_held(path: Path) -> bool:
    """Whether somebody holds a lock file."""
    try:
        with path.open("rb") as file:
            # Shared, so that two who ask at once do not take each other for its holder.
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


@contextmanager
def sole_user(state: Path | None) -> Iterator[None]:
    """Keep a second launcher off the same data, logs and worker names; None is nobody's.

    Raises:
        Trouble: the directory cannot be made, or somebody uses it.
    """
    if state is None:
        yield
        return
    try:
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise Trouble(
            f"{state} cannot be made ({error.strerror}); set TIDELINE_LAUNCHER__STATE_DIR"
        ) from error
    with ExitStack() as locks:
        try:
            locks.enter_context(held(state / "lock", waiting=False))
        except BlockingIOError:
            raise Trouble(
                f"another tideline uses {state}; stop it, or set TIDELINE_LAUNCHER__STATE_DIR"
            ) from None
        yield


@contextmanager
def run_dir(root: Path) -> Iterator[Path]:
    """This launcher's own directory, gone after a clean end.

    After an error the logs stay until the next launcher starts.
    """
    private(root)
    with ExitStack() as locks:
        with held(root / _LOCK):  # nobody sweeps between the making and the locking
            _sweep(root)
            path = private(root / str(os.getpid()))
            locks.enter_context(held(path / _LOCK))
        try:
            yield path
        except BaseException:
            (path / _NOTE).unlink(missing_ok=True)
            raise
        shutil.rmtree(path, ignore_errors=True)


def note(path: Path, running: Running) -> None:
    """Let other commands find this launcher."""
    file = path / _NOTE
    file.touch(mode=0o600)
    file.write_text(running.model_dump_json())


def running(root: Path) -> list[Running]:
    """The launchers at work, the newest last."""
    found = [_read(file) for file in root.glob(f"*/{_NOTE}") if is_held(file.with_name(_LOCK))]
    return sorted((one for one in found if one is not None), key=lambda one: one.started_at)


def _read(file: Path) -> Running | None:
    try:
        return Running.model_validate_json(file.read_bytes())
    except (OSError, ValidationError):  # just stopped, or another version's
        return None


def _sweep(root: Path) -> None:
    """Remove what dead launchers left, and nothing that is not theirs."""
    for lock in root.glob(f"[0-9]*/{_LOCK}"):
        if lock.parent.name.isdigit() and not is_held(lock):
            shutil.rmtree(lock.parent, ignore_errors=True)
