"""Generated signals: written down from the log once, listed, judged and counted over HTTP."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from services.signals.adapters.signal_store import SignalStore
from services.signals.adapters.tables import MIGRATIONS
from services.signals.adapters.writing_down import WritingDown
from shared.bus.partitions import partition_of
from shared.bus.redis_log import RedisLog
from shared.clock import SystemClock
from shared.events import SignalGenerated
from shared.store.store import Store
from tests.conftest import Database
from tests.signals.house import asking, settings_of, signal
from tests.signals.play import FRIDAY, SECOND

SIGNALS = "/api/v1/signals"
DAY = 86_400 * SECOND


@pytest.fixture
async def store(redis_log: RedisLog, database: Database) -> AsyncIterator[Store]:
    made = Store("signals", settings_of(redis_log, database), MIGRATIONS)
    yield made
    await made.close()


@pytest.fixture
async def client(redis_log: RedisLog, database: Database) -> AsyncIterator[httpx.AsyncClient]:
    async with asking(redis_log, database) as made:
        yield made


async def told(log: RedisLog, *signals: SignalGenerated, partition: int = 0) -> None:
    """Let the stage have generated these."""
    for one in signals:
        await log.append(partition, "signal_generated", one.wire())


async def written(log: RedisLog, store: Store) -> None:
    """Write down everything that the log tells, as a service that was just started."""
    writing = WritingDown(log, SignalStore(store, SystemClock()))
    tail = await writing.start()
    while batch := await tail.read():
        await writing.write(tail, batch)


async def ids(client: httpx.AsyncClient, **params: Any) -> list[int]:
    """The seconds of the signals found, in order."""
    page = (await client.get(SIGNALS, params=params)).json()
    return [(one["signal_time"] - FRIDAY) // SECOND for one in page["signals"]]


async def test_signals_are_written_down_with_all_they_say(
    client: httpx.AsyncClient, redis_log: RedisLog, store: Store
) -> None:
    """Rule, version, direction, level, operands and the sentence; New, as nobody has judged."""
    await told(redis_log, signal(1))
    await written(redis_log, store)
    (found,) = (await client.get(SIGNALS)).json()["signals"]
    assert found["id"] == signal(1).id
    assert (found["rule_version"], found["direction"], found["status"]) == ("1a", "Short", "New")
    assert found["operands"] == {"price": 99.0}
    assert found["reason"] == "touched yesterday's high"


async def test_what_is_told_twice_is_written_once(
    client: httpx.AsyncClient, redis_log: RedisLog, store: Store
) -> None:
    """A failover took entries back, and the stage wrote them again: what people said stays."""
    await told(redis_log, signal(1), signal(2))
    await written(redis_log, store)
    await client.patch(f"{SIGNALS}/{quote(signal(1).id)}", json={"status": "Executed"})
    await told(redis_log, signal(1), signal(2), signal(3))
    await written(redis_log, store)
    assert await ids(client) == [3, 2, 1]
    assert await ids(client, status="Executed") == [1]


async def test_writing_goes_on_where_it_ended(
    client: httpx.AsyncClient, redis_log: RedisLog, store: Store
) -> None:
    """The place is kept beside the rows, partition by partition."""
    await told(redis_log, signal(1))
    await told(redis_log, signal(2), partition=3)
    await written(redis_log, store)
    places = await SignalStore(store, SystemClock()).places()
    assert sorted(places) == [0, 3]
    await redis_log.redis.xtrim(redis_log.keys.topic(0, "signal_generated"), maxlen=0)
    await told(redis_log, signal(4))
    await written(redis_log, store)
    assert await ids(client) == [4, 2, 1]


async def test_pages_follow_one_another(
    client: httpx.AsyncClient, redis_log: RedisLog, store: Store
) -> None:
    """Also where several signals have one time: together the pages are everything, once."""
    rules = [signal(n // 3, rule=f"r{n % 3}") for n in range(12)]
    await told(redis_log, *rules)
    await written(redis_log, store)
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await client.get(SIGNALS, params={"limit": 5, **cursor})).json()
        seen += [one["id"] for one in page["signals"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert sorted(seen) == sorted(one.id for one in rules)
    assert len(seen) == len({*seen})


async def test_filters_narrow_the_list(
    client: httpx.AsyncClient, redis_log: RedisLog, store: Store
) -> None:
    """By symbol, set, rule, direction and time; half-open as every range."""
    await told(
        redis_log,
        signal(1),
        signal(2, symbol="MES"),
        signal(3, direction="long"),
        signal(4, config="other", rule="low"),
    )
    await written(redis_log, store)
    assert await ids(client, symbol="MES") == [2]
    assert await ids(client, direction="Long") == [3]
    assert await ids(client, config="other", rule="low") == [4]
    since, until = FRIDAY + 2 * SECOND, FRIDAY + 4 * SECOND
    assert await ids(client, since=since, until=until) == [3, 2]


async def test_a_signal_is_judged(
    client: httpx.AsyncClient, redis_log: RedisLog, store: Store
) -> None:
    """Executed or Rejected, by whom and when; nothing else is a status."""
    await told(redis_log, signal(1))
    await written(redis_log, store)
    place = f"{SIGNALS}/{quote(signal(1).id)}"
    judged = await client.patch(place, json={"status": "Rejected"}, headers={"X-User-Id": "ann"})
    assert (judged.json()["status"], judged.json()["status_by"]) == ("Rejected", "ann")
    assert judged.json()["status_at"] is not None
    assert (await client.get(place)).json() == judged.json()
    assert (await client.patch(place, json={"status": "Maybe"})).status_code == 422
    assert (await client.patch(f"{SIGNALS}/none", json={"status": "New"})).status_code == 404


async def test_statistics_count(
    client: httpx.AsyncClient, redis_log: RedisLog, store: Store
) -> None:
    """By day, rule, symbol and status; the cap's suppressed ones are the stage's own count."""
    later = signal(5).model_copy(update={"at": FRIDAY + DAY})
    await told(redis_log, signal(1), signal(2), signal(3, rule="low"), later)
    await written(redis_log, store)
    view = '{"sent": {"mine": 10}, "suppressed": {"mine": 4}, "waiting": {}}'
    partition = partition_of("TEST", redis_log.partitions)
    await redis_log.redis.hset(redis_log.keys.view(partition, "signals"), "TEST", view)
    found = (await client.get(f"{SIGNALS}/statistics")).json()
    assert found["total"] == 4
    assert found["by_day"] == {"2026-11-21": 1, "2026-11-20": 3}
    assert found["by_rule"] == {"mine.high": 3, "mine.low": 1}
    assert found["by_status"] == {"New": 4}
    assert found["today"] == {"TEST": {"sent": {"mine": 10}, "suppressed": {"mine": 4}}}
    narrow = await client.get(f"{SIGNALS}/statistics", params={"since": FRIDAY + DAY})
    assert narrow.json()["by_day"] == {"2026-11-21": 1}


async def test_a_strange_cursor_is_refused(client: httpx.AsyncClient) -> None:
    """With the parameter's name."""
    answer = await client.get(SIGNALS, params={"cursor": "yesterday"})
    assert (answer.status_code, answer.json()["parameter"]) == (422, "cursor")
