"""The AsyncAPI document: which topics a service writes, with their schemas."""

from collections.abc import Iterable

from faststream.redis import RedisBroker

from shared.bus.keys import Keys
from shared.bus.retention import STAGE_OUTPUTS
from shared.bus.topics import StageName
from shared.events.codec import event_types


def describe(broker: RedisBroker, keys: Keys, stages: Iterable[StageName]) -> None:
    """Enter every event type that the stages write into the broker's AsyncAPI document.

    Stages write through the commit script; FastStream only describes the topics here. Partition 0
    stands for all: the others differ in the hash tag alone.
    """
    for stage in stages:
        for topic in STAGE_OUTPUTS[stage]:
            for model in event_types(topic):
                broker.publisher(
                    stream=keys.topic(0, topic),
                    schema=model,
                    title=f"{topic}: {model.TYPE}",
                    description=(model.__doc__ or "").strip().splitlines()[0],
                )
