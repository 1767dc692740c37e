"""How full the topics are and how far each stage is."""

import asyncio
from dataclasses import dataclass

from shared.bus.accounts import NOTHING, Account, Accounts, total
from shared.bus.connection import execute
from shared.bus.redis_log import RedisLog
from shared.bus.redis_reads import RedisReads, TopicSize
from shared.bus.topics import OPS_TOPIC, STAGE_INPUTS, STAGES, TOPICS, StageName, Topic
from shared.clock import Clock
from tideline.tally import milliseconds


@dataclass(frozen=True, slots=True)
class TopicState:
    """One topic over all its partitions; ``idle_s`` since its newest entry, None without one."""

    topic: str
    length: int
    per_second: float
    idle_s: float | None


@dataclass(frozen=True, slots=True)
class PartitionState:
    """One stage in one partition: how far it is, and what its workers have done since they started.

    ``behind`` and ``lost`` are entries over all inputs, ``event_s`` seconds of the market.
    """

    partition: int
    behind: int
    lost: int
    event_s: float
    done: Account


@dataclass(frozen=True, slots=True)
class StageState:
    """One stage over all its partitions, in entries.

    ``behind`` is not read yet, ``lost`` was trimmed before it could be. ``watermark_age_s`` is how
    long ago the partition furthest behind last moved; 0 for a stage that is behind nowhere.
    ``event_s`` is the longest time in the market by which a partition is behind.
    """

    stage: StageName
    inputs: tuple[str, ...]
    behind: int
    lost: int
    watermark_age_s: float
    event_s: float
    done: Account
    partitions: tuple[PartitionState, ...]


async def topic_states(log: RedisLog, clock: Clock, sample_s: float) -> list[TopicState]:
    """Every topic, its rate measured over ``sample_s`` seconds."""
    before, since = await _all_sizes(log), clock.elapsed()
    await asyncio.sleep(sample_s)
    after, took = await _all_sizes(log), clock.elapsed() - since
    now_ms = await server_ms(log)
    return [
        TopicState(
            topic=topic,
            length=sum(size.length for size in sizes),
            per_second=round((_added(sizes) - _added(before[topic])) / took, 1),
            idle_s=_idle_s(sizes, now_ms),
        )
        for topic, sizes in after.items()
    ]


async def stage_states(log: RedisLog) -> list[StageState]:
    """Every stage."""
    now_ms = await server_ms(log)
    return [await _stage_state(log, stage, now_ms) for stage in STAGES]


async def server_ms(log: RedisLog) -> int:
    """The server's own time, which entry ids are made of."""
    seconds, micros = await execute(log.redis, "TIME")
    return int(seconds) * 1000 + int(micros) // 1000


async def under_way(log: RedisLog) -> int:
    """Entries that stages have still to decide on; 0 is certain once the feed has stopped.

    Stages are asked in the order of the chain: what one has decided on, the next is asked about
    later. The feed's own inbox is left out.
    """
    reads = RedisReads(log.redis, log.keys)
    left = 0
    for stage in STAGES[1:]:
        left += sum(row.behind for row in (await reads.lag(stage))[_primary(stage)])
    return left


def _primary(stage: StageName) -> Topic:
    """The input that drives a stage: what it joins, it reads only as far as it needs."""
    return STAGE_INPUTS[stage][0]


async def _stage_state(log: RedisLog, stage: StageName, now_ms: int) -> StageState:
    lag = await RedisReads(log.redis, log.keys).lag(stage)
    driving = lag[_primary(stage)]
    ages = [0.0]
    for partition, row in enumerate(driving):
        if row.behind:
            key = log.keys.checkpoint(partition, stage)
            offset = await execute(log.redis, "HGET", key, _primary(stage))
            ages.append((now_ms - milliseconds(offset)) / 1000 if offset else 0.0)
    partitions = await _partition_states(log, stage)
    return StageState(
        stage=stage,
        inputs=tuple(lag),
        behind=sum(row.behind for row in driving),
        lost=sum(one.lost for one in partitions),
        watermark_age_s=round(max(ages), 3),
        event_s=max(one.event_s for one in partitions),
        done=total(one.done for one in partitions),
        partitions=partitions,
    )


async def _partition_states(log: RedisLog, stage: StageName) -> tuple[PartitionState, ...]:
    lags = await RedisReads(log.redis, log.keys).partition_lags(stage, range(log.partitions))
    done = await Accounts(log.redis, log.keys).read(stage)
    return tuple(
        PartitionState(partition, lag.behind, lag.lost, lag.event_s, done.get(partition, NOTHING))
        for partition, lag in lags.items()
    )


async def _all_sizes(log: RedisLog) -> dict[str, list[TopicSize]]:
    reads = RedisReads(log.redis, log.keys)
    sizes: dict[str, list[TopicSize]] = {topic: await reads.sizes(topic) for topic in TOPICS}
    length = int(await execute(log.redis, "XLEN", log.keys.ops()))
    newest = await execute(log.redis, "XREVRANGE", log.keys.ops(), "+", "-", "COUNT", 1)
    sizes[OPS_TOPIC] = [TopicSize(length, length, newest[0][0] if newest else "0-0")]
    return sizes


def _added(sizes: list[TopicSize]) -> int:
    return sum(size.added for size in sizes)


def _idle_s(sizes: list[TopicSize], now_ms: int) -> float | None:
    newest = max(milliseconds(size.last_id) for size in sizes)
    return None if newest == 0 else round(max(0, now_ms - newest) / 1000, 3)
