"""How long alerts took, from the entry of the tick to the entry of the receipt."""

from collections.abc import Sequence
from typing import Any

from benchmarks.chain import KEYS
from shared.bus.connection import execute
from shared.bus.redis_log import RedisLog

_PAGE = 2_000


async def latencies_ms(url: str, skip_s: float) -> list[int]:
    """Of each alert written ``skip_s`` after the first one, sorted; a millisecond's resolution."""
    log = RedisLog(url, KEYS)
    try:
        fired = {p: await _fired(log, p) for p in range(KEYS.partitions)}
        begin = min((ms for rows in fired.values() for ms in rows.values()), default=0)
        found: list[int] = []
        for partition, rows in fired.items():
            late = {pos: ms for pos, ms in rows.items() if ms >= begin + skip_s * 1000}
            found += await _since_ticks(log, partition, late)
        return sorted(found)
    finally:
        await log.close()


def percentile(found: Sequence[int], part: float) -> float:
    """The value that so large a part does not exceed."""
    return float(found[min(len(found) - 1, int(len(found) * part))])


async def _fired(log: RedisLog, partition: int) -> dict[int, int]:
    """When the alert of each spine position was told of, ms."""
    key, last, found = KEYS.topic(partition, "alert_fired"), "-", dict[int, int]()
    while page := await _page(log, key, last):
        last = f"({page[-1][0]}"
        for entry_id, fields in page:
            if fields[1] == "alert_fired":
                found.setdefault(_pos(fields), _ms(entry_id))
    return found


async def _since_ticks(log: RedisLog, partition: int, fired: dict[int, int]) -> list[int]:
    key, last, found = KEYS.topic(partition, "tick"), "-", list[int]()
    while page := await _page(log, key, last):
        last = f"({page[-1][0]}"
        for entry_id, fields in page:
            told = fired.get(_pos(fields))
            if told is not None and fields[1] == "tick":
                found.append(told - _ms(entry_id))
    return found


async def _page(log: RedisLog, key: str, after: str) -> list[Any]:
    page: list[Any] = await execute(log.redis, "XRANGE", key, after, "+", "COUNT", _PAGE)
    return page


def _pos(fields: Sequence[str]) -> int:
    return int(fields[fields.index("pos") + 1])


def _ms(entry_id: str) -> int:
    return int(entry_id.partition("-")[0])
