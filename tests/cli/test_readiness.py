"""A health check is as well as the service it asks."""

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.cli.conftest import Tideline
from tests.cli.processes import PATIENCE_S
from tideline import readiness
from tideline.readiness import Readiness, ask


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever answers here is a thread of this process, and that may stand still for a while."""
    monkeypatch.setattr(readiness, "_TIMEOUT_S", PATIENCE_S)


@contextmanager
def answering(status: int, text: str) -> Iterator[int]:
    """The port of something that answers /readyz like this."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/readyz" else 404)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def test_a_service_that_is_ready(tideline: Tideline) -> None:
    """Its answer on stdout, and exit code 0."""
    with answering(200, "ready\n") as port:
        assert tideline("healthcheck", "--port", str(port)) == (0, "ready\n", "")


def test_a_service_that_is_not_ready_says_why(tideline: Tideline) -> None:
    """Several reasons become one line, and the exit code is 1."""
    with answering(503, "stage candles has not started yet\nwaits\n") as port:
        assert tideline("healthcheck", "--port", str(port)) == (
            1,
            "stage candles has not started yet waits\n",
            "",
        )


def test_an_empty_answer_shows_its_status() -> None:
    """Something is said in any case."""
    with answering(500, "") as port:
        assert ask("127.0.0.1", port) == Readiness(False, "status 500")
