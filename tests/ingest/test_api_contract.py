"""Every route of ingest holds what its own OpenAPI document says, whatever it is asked."""

from pathlib import Path

import pytest
from schemathesis import GenerationMode

from shared.bus.keys import Keys
from shared.clock import SystemClock
from tests.ingest.served import web
from tests.service.contracts import assert_keeps_its_word, serving


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_routes_keep_their_word(
    server_url: str, keys: Keys, tmp_path: Path, mode: GenerationMode
) -> None:
    """Answers of the promised form to what is right, refusals to what is wrong, and no crash."""
    made = {"data_dir": tmp_path}
    with serving(server_url, keys, lambda log: [web(log, SystemClock(), made)]) as address:
        assert_keeps_its_word(address, mode)
