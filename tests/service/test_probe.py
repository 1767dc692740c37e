"""The question that a container engine asks of a service."""

import asyncio
import os
import sys

from shared.bus.keys import Keys
from tests.service.toys import answers, running, toy, until


async def probe(port: int) -> tuple[int, str]:
    """Exit code and words of the probe, run as the engine runs it."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "shared.service.probe"),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "TIDELINE_INTERNAL_PORT": str(port)},
    )
    said, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode()


async def test_probe_says_what_readiness_says(server_url: str, keys: Keys) -> None:
    """0 and ready once the stages come round."""
    async with running(toy(server_url, keys)) as client:
        await until(lambda: answers(client, "/readyz", 200))
        port = client.base_url.port
        assert port is not None

        async def is_well() -> bool:
            return await probe(port) == (0, "ready\n")

        # Asked again and again, as an engine does: the machine may stand still for longer than one
        # probe waits.
        await until(is_well)


async def test_probe_of_nothing_fails_in_one_line() -> None:
    """1 and the port where nobody answers; port 9 is nobody's."""
    code, said = await probe(9)
    assert code == 1
    assert said.startswith("no answer on port 9: ")
    assert said.count("\n") == 1
