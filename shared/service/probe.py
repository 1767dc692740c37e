"""What a container engine asks every few seconds: is the service ready?

``python -m shared.service.probe`` asks the internal port and exits with 1 if it is not. It imports
next to nothing, because it is started again for every question.
"""

import http.client
import os
import sys

# Below the engine's own patience, so that the reason is told before it ends us.
_TIMEOUT_S = 3.0
_DEFAULT_PORT = 8080


def main() -> int:
    """Ask, tell the answer on standard output, and return the exit code."""
    port = int(os.environ.get("TIDELINE_INTERNAL_PORT", _DEFAULT_PORT))
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_S)
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        sys.stdout.write(answer.read().decode("utf-8", "replace"))
    except (OSError, http.client.HTTPException) as error:
        sys.stdout.write(f"no answer on port {port}: {error}\n")
        return 1
    return 0 if answer.status == http.client.OK else 1


if __name__ == "__main__":
    sys.exit(main())
