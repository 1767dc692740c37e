"""Worker processes: the real services, forked off one process that has imported them all.

A start costs a fork and not two seconds of imports, so that a run can kill many of them.
"""

import importlib
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from multiprocessing import get_context, parent_process
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Thread

SERVICES = ("ingest", "indicators", "signals", "notifier")
_MODULES = [f"services.{name}.{part}" for name in SERVICES for part in ("app", "settings")]
_PATIENCE_S = 60.0
# The signal itself ends a worker that is told before it has begun and has nothing to give back.
_ENDED_WELL = (0, -signal.SIGTERM)


def preload() -> None:
    """Start the process that forks, and wait until it has imported everything."""
    context = get_context("forkserver")
    context.set_forkserver_preload([__name__, "shared.service.main", *_MODULES])
    first = context.Process(target=int)
    first.start()
    first.join(_PATIENCE_S)


@dataclass(slots=True)
class Worker:
    """One process of a service, under one name at a time.

    ``troubles`` tells of ends that nobody asked for.
    """

    service: str
    name: str
    environment: Mapping[str, str]
    folder: Path
    troubles: list[str] = field(default_factory=list)
    _process: BaseProcess | None = None

    def start(self) -> None:
        """Start unless it runs."""
        self.check()
        if self._process is not None:
            return
        environment = {**self.environment, "TIDELINE_WORKER": self.name}
        self._process = get_context("forkserver").Process(
            target=serve, args=(self.service, environment, str(self.folder))
        )
        self._process.start()

    def kill(self) -> bool:
        """Kill -9; whether it ran."""
        return self._end(signal.SIGKILL)

    def stop(self) -> bool:
        """Ask it to stop and wait until it has; whether it ran."""
        return self._end(signal.SIGTERM)

    def pause(self) -> bool:
        """Stop its clock; whether it ran."""
        return self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let its clock run again."""
        self._signal(signal.SIGCONT)

    def check(self) -> None:
        """Note an end that nobody asked for."""
        process = self._process
        if process is not None and process.exitcode is not None:
            self.troubles.append(f"worker {self.name} ended by itself with {process.exitcode}")
            self._process = None

    def _signal(self, number: signal.Signals) -> bool:
        self.check()
        if self._process is None or self._process.pid is None:
            return False
        os.kill(self._process.pid, number)
        return True

    def _end(self, number: signal.Signals) -> bool:
        if not self._signal(number):
            return False
        process, self._process = self._process, None
        assert process is not None
        process.join(_PATIENCE_S)
        if process.exitcode is None:
            self.troubles.append(f"worker {self.name} did not end on {number.name}")
            process.kill()
            process.join(_PATIENCE_S)
        elif number == signal.SIGTERM and process.exitcode not in _ENDED_WELL:
            self.troubles.append(f"worker {self.name} stopped with {process.exitcode}")
        return True


def serve(service: str, environment: Mapping[str, str], folder: str) -> None:
    """The worker's own process, until it is ended."""
    Thread(target=_die_with_parent, daemon=True).start()
    os.chdir(folder)
    name = environment["TIDELINE_WORKER"]
    for stream, path in ((sys.stdout, f"{name}.out"), (sys.stderr, f"{name}.log")):
        target = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.dup2(target, stream.fileno())
    os.environ.update(environment)
    from shared.service.main import main

    app = importlib.import_module(f"services.{service}.app")
    settings = importlib.import_module(f"services.{service}.settings")
    main(app.build_app, getattr(settings, f"{service.capitalize()}Settings"))


def _die_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
