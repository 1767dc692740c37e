"""The AsyncAPI document of a service: what it writes and reads, as it stands in Redis.

FastStream's own generator is not used: it knows values, not what stands in an entry; it makes a
channel of every type; its page needs a content network; and it serves a form that writes to the
log. Stages write through the commit script, which it cannot know either.
"""

from collections.abc import Iterable
from importlib.metadata import version
from typing import Any

from shared.bus.keys import Keys
from shared.bus.partitions import tags
from shared.bus.retention import STAGE_OUTPUTS
from shared.bus.topics import OPS_TOPIC, STAGE_INPUTS, StageName
from shared.events.base import Event
from shared.events.codec import event_types
from shared.events.control import DEAD_LETTERS, INBOX, Watermark
from shared.events.schemas import wire_schema

Document = dict[str, Any]

# What a stage is given to trim, besides what it writes.
_TRIMMED_ONLY = {INBOX, "pushed", DEAD_LETTERS}
# The outputs of stages that say how far they have come.
_MARKED = {"candle_closed", "level_computed", "signal_generated", "alert_intent"}


def written(stages: Iterable[StageName]) -> list[str]:
    """The topics that stages write; every service tells operators, every stage has dead letters."""
    topics = [one for stage in stages for one in STAGE_OUTPUTS[stage] if one not in _TRIMMED_ONLY]
    return [*dict.fromkeys(topics), *([DEAD_LETTERS] if topics else []), OPS_TOPIC]


def read(stages: Iterable[StageName]) -> list[str]:
    """The topics that stages read."""
    return list(dict.fromkeys(one for stage in stages for one in STAGE_INPUTS[stage]))


def document(service: str, keys: Keys, writes: Iterable[str], reads: Iterable[str]) -> Document:
    """An AsyncAPI 3.0 document of the topics a service writes and reads.

    Payloads are JSON Schemas of stream entries, seen as objects of texts.
    """
    operations = {f"write_{topic}": _operation("send", topic) for topic in writes}
    operations |= {f"read_{topic}": _operation("receive", topic) for topic in reads}
    topics = list(dict.fromkeys([*writes, *reads]))
    models = {name(model): model for topic in topics for model in types(topic)}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": f"Tideline: {service}",
            "version": version("tideline"),
            "description": "Events in Redis Streams: flat field names and values, type and v "
            "first, nested values as JSON text. Every topic but ops is cut into partitions by "
            "symbol; a partition has one order.",
        },
        "channels": {topic: _channel(topic, keys) for topic in topics},
        "operations": operations,
        "components": {
            "messages": {one: _message(one, model) for one, model in models.items()},
            "schemas": {one: _schema(model) for one, model in models.items()},
        },
    }


def types(topic: str) -> list[type[Event]]:
    """Every event type that stands in a topic."""
    return [*event_types(topic), *([Watermark] if topic in _MARKED else [])]


def name(model: type[Event]) -> str:
    """What a type's message is called: ``tick.v1``."""
    return f"{model.TYPE}.v{model.VERSION}"


def _channel(topic: str, keys: Keys) -> Document:
    channel: Document = {
        "address": f"{keys.namespace}:{topic}",
        "title": topic,
        "messages": {
            name(model): {"$ref": f"#/components/messages/{name(model)}"} for model in types(topic)
        },
    }
    if topic != OPS_TOPIC:
        channel["address"] = f"{keys.namespace}:{{tag}}:{topic}"
        channel["parameters"] = {
            "tag": {
                "description": "the partition's hash tag with its braces, partition 0 first",
                "enum": [f"{{{tag}}}" for tag in tags(keys.partitions)],
            }
        }
    return channel


def _operation(action: str, topic: str) -> Document:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{topic}"},
        "messages": [
            {"$ref": f"#/channels/{topic}/messages/{name(model)}"} for model in types(topic)
        ],
    }


def _message(key: str, model: type[Event]) -> Document:
    return {
        "name": model.TYPE,
        "title": key,
        "summary": summary(model),
        "payload": {"$ref": f"#/components/schemas/{key}"},
    }


def _schema(model: type[Event]) -> Document:
    return {key: part for key, part in wire_schema(model).items() if not key.startswith("$")}


def summary(model: type[Event]) -> str:
    """The first sentence of a type's description."""
    return (model.__doc__ or "").strip().splitlines()[0].replace("``", "")
