"""A connection to TWS that is lost while somebody waits for an answer."""

import asyncio

import pytest

from services.ingest.domain.asking import Ask, ProviderFault
from shared.bus.keys import Keys
from shared.bus.redis_log import RedisLog
from tests.ingest.feeds.fake_tws import FakeTws
from tests.ingest.feeds.ibkr_desk import MES, Desk
from tests.ingest.lines import at


async def test_a_question_ends_with_its_connection(redis_log: RedisLog, keys: Keys) -> None:
    """It does not wait for an answer that cannot come any more."""
    async with FakeTws().serving() as tws:
        tws.forgets_candles = True
        desk = Desk(tws, redis_log, keys)
        provider = desk.provider(timeout_s=600)
        wanted = Ask("MES", MES, "1m", at("13:58"), at("14:00"))
        asking = asyncio.create_task(provider.candles([wanted]))
        await desk.request(20, "MES")
        await tws.hang_up()
        with pytest.raises(ProviderFault, match="the connection was lost"):
            await asyncio.wait_for(asking, 60)
        await provider.close()
