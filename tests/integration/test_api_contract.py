"""Every route of indicators and signals holds what its OpenAPI document says, whatever is asked."""

from pathlib import Path
from typing import Any

import pytest
from schemathesis import GenerationMode

from services.indicators.api import build_web as indicators
from services.indicators.settings import IndicatorsSettings
from services.signals.api import build_web as signals
from services.signals.settings import SignalsSettings
from shared.bus.keys import Keys
from shared.bus.redis_log import RedisLog
from shared.clock import SystemClock
from shared.service.web import Web
from tests.service.contracts import assert_keeps_its_word, serving

pytestmark = pytest.mark.timeout(600)


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_routes_keep_their_word(
    server_url: str, keys: Keys, tmp_path: Path, mode: GenerationMode
) -> None:
    """Answers of the promised form to what is right, refusals to what is wrong, and no crash."""
    common: dict[str, Any] = {
        "namespace": keys.namespace,
        "partitions": keys.partitions,
        "data_dir": tmp_path,
    }

    def made(log: RedisLog) -> list[Web]:
        clock = SystemClock()
        return [
            indicators(IndicatorsSettings(**common), log, clock),
            signals(SignalsSettings(**common), log, clock),
        ]

    with serving(server_url, keys, made) as address:
        assert_keeps_its_word(address, mode)
