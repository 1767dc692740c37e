"""The images of tests: built from the repository once a run, or a reason why they cannot be."""

import re
import subprocess
import time

from tests.containers.engine import ROOT, SERVICES, image, run

REDIS = "redis:7-bookworm"
# Attempts at one image: an index that is busy for a moment is no reason to test nothing.
_ATTEMPTS = 2
_PAUSE_S = 5.0
_ALL_S = 1200
# What pip, npm and the engine say when something out there cannot be reached.
_OUT_OF_REACH = re.compile(
    r"connection broken|NewConnectionError|ConnectTimeout|ReadTimeout|Read timed out"
    r"|Temporary failure in name resolution|Name or service not known|Network is unreachable"
    r"|Connection (refused|reset|timed out|aborted)|SSLError|CERTIFICATE_VERIFY_FAILED"
    r"|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|network timeout"
    r"|no such host|i/o timeout|TLS handshake timeout|TLS/SSL|pull access denied|toomanyrequests"
    r"|failed to (resolve|do request)|connection reset by peer|50[234] (Bad|Service|Gateway)"
)


class OutOfReach(Exception):
    """An image cannot be had, for something beyond this machine does not answer."""


def have(name: str) -> None:
    """Have somebody else's image, pulled unless it is here.

    Raises:
        OutOfReach: it cannot be pulled.
    """
    if run("docker", "image", "inspect", name).returncode == 0:
        return
    pulled = run("docker", "pull", "--quiet", name, timeout_s=600)
    if pulled.returncode != 0:
        raise OutOfReach(f"image {name} cannot be pulled: {_last_line(pulled.stderr)}")


def build_all() -> None:
    """Build every service's image from what is in the repository.

    Raises:
        OutOfReach: packages cannot be fetched, or not in time.
        AssertionError: a build failed by itself; the message holds its last lines.
    """
    until = time.monotonic() + _ALL_S
    for service in SERVICES:
        _build(service, until)


def _build(service: str, until: float) -> None:
    for attempt in range(1, _ATTEMPTS + 1):
        problem = _tried(service, until - time.monotonic())
        if problem is None:
            return
        out_of_reach = _OUT_OF_REACH.search(problem)
        if out_of_reach is None:
            raise AssertionError(f"the image of {service} cannot be built:\n{_end(problem)}")
        if attempt == _ATTEMPTS:
            line = _line_of(problem, out_of_reach.start())
            raise OutOfReach(f"images cannot be built here, packages are out of reach: {line}")
        time.sleep(_PAUSE_S)


def _tried(service: str, left_s: float) -> str | None:
    """What a failed build said; None if it went well.

    The host's network may be all that reaches an index.
    """
    try:
        done = run(
            "docker", "build", "--quiet", "--network", "host", "--file", "deploy/Dockerfile",
            "--target", service, "--tag", image(service), str(ROOT),
            timeout_s=max(1.0, left_s),
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise OutOfReach(f"images cannot be built within {_ALL_S} s here") from None
    return None if done.returncode == 0 else done.stderr + done.stdout


def _line_of(text: str, at: int) -> str:
    begin = text.rfind("\n", 0, at) + 1
    line = re.sub(r"\x1b\[[\d;]*m", "", text[begin:].split("\n", 1)[0])
    # Where packages come from is nobody's business but this machine's.
    return re.sub(r"https?://\S+", "…", line)[:300]


def _last_line(text: str) -> str:
    return _line_of(text.rstrip(), len(text.rstrip()))


def _end(text: str) -> str:
    return "\n".join(text.splitlines()[-30:])
