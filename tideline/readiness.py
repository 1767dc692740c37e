"""Is a service ready: the question that containers, the launcher and people ask."""

import http.client
from dataclasses import dataclass

POLL_S = 0.1
_TIMEOUT_S = 2.0
_REASON_MAX = 300


@dataclass(frozen=True, slots=True)
class Readiness:
    """A service's answer; ``reason`` is what it said, or why it could not be asked."""

    ready: bool
    reason: str


def ask(host: str, port: int, path: str = "/readyz") -> Readiness:
    """One GET to the internal port of a service; blocks for at most two seconds."""
    connection = http.client.HTTPConnection(host, port, timeout=_TIMEOUT_S)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        text = " ".join(response.read(_REASON_MAX).decode(errors="replace").split())
    except (OSError, http.client.HTTPException) as error:
        return Readiness(False, f"nothing answers on {host}:{port} ({error})")
    finally:
        connection.close()
    return Readiness(200 <= response.status < 300, text or f"status {response.status}")
