"""Every Redis key of the log, in one place. Everything of one partition shares one hash tag."""

import re
from dataclasses import dataclass
from typing import Literal

from shared.bus.partitions import DEFAULT_PARTITIONS, tags
from shared.bus.topics import OPS_TOPIC, STAGES, TOPICS, StageName, Topic

DEFAULT_NAMESPACE = "tideline"


@dataclass(frozen=True, slots=True)
class Keys:
    """Key names of one namespace. The number of partitions never changes in a living one."""

    namespace: str = DEFAULT_NAMESPACE
    partitions: int = DEFAULT_PARTITIONS

    def topic(self, partition: int, topic: Topic) -> str:
        """Stream of one partition's topic."""
        return self._key(partition, topic)

    def lease(self, partition: int, stage: StageName) -> str:
        """Hash: owner, exp (server ms), epoch, token."""
        return self._key(partition, f"{stage}:lease")

    def checkpoint(self, partition: int, stage: StageName) -> str:
        """Hash: seq, txid, and the offset of every input."""
        return self._key(partition, f"{stage}:checkpoint")

    def state(self, partition: int, stage: StageName) -> str:
        """Hash: one text per symbol."""
        return self._key(partition, f"{stage}:state")

    def view(self, partition: int, stage: StageName) -> str:
        """Hash: what is only shown, last value wins."""
        return self._key(partition, f"{stage}:view")

    def incarnation(self, partition: int) -> str:
        """String: the partition's number of lives and a nonce, absent in the first."""
        return self._key(partition, "incarnation")

    def losses(self, partition: int) -> str:
        """Hash: entries that went unread, by topic/reader."""
        return self._key(partition, "losses")

    def seen(self, partition: int, topic: Topic) -> str:
        """Sorted set: identities of entries appended from outside, by server time (ms)."""
        return self._key(partition, f"{topic}:seen")

    def members(self, stage: StageName) -> str:
        """Sorted set: worker by the server time (ms) until which it counts as alive."""
        return f"{self.namespace}:members:{stage}"

    def account(self, stage: StageName, worker: str) -> str:
        """Hash: what a worker has done for a stage, by partition."""
        return f"{self.namespace}:account:{stage}:{worker}"

    def meta(self) -> str:
        """Hash: the namespace's own facts, such as its number of partitions."""
        return f"{self.namespace}:meta"

    def budget(self, provider: str) -> str:
        """Hash: the calls that replicas made of a provider this minute and day."""
        return f"{self.namespace}:budget:{provider}"

    def client_id(self, provider: str, number: int) -> str:
        """String: the replica that has a number by which a provider tells its clients apart."""
        return f"{self.namespace}:client:{provider}:{number}"

    def ops(self) -> str:
        """Stream of operational events; not partitioned."""
        return f"{self.namespace}:{OPS_TOPIC}"

    def _key(self, partition: int, what: str) -> str:
        return f"{self.namespace}:{{{tags(self.partitions)[partition]}}}:{what}"


@dataclass(frozen=True, slots=True)
class KeyKind:
    """One kind of key: what its name looks like after the namespace, its type, and its bound.

    ``life`` is "ttl" where the key goes by itself, "permanent" where it never does; ``bound`` says
    what keeps it small all the same.
    """

    pattern: str
    type: Literal["stream", "hash", "string", "zset"]
    life: Literal["ttl", "permanent"]
    bound: str


_TAG = r"\{\d+\}"
_STAGE = f"(?:{'|'.join(STAGES)})"

# Every key that the log may have. Whatever else is found in a namespace is a leak.
KEY_KINDS: tuple[KeyKind, ...] = (
    KeyKind(f"{_TAG}:(?:{'|'.join(TOPICS)})", "stream", "permanent", "trimmed by size and age"),
    KeyKind(f"{_TAG}:{_STAGE}:lease", "hash", "permanent", "four fields"),
    KeyKind(f"{_TAG}:{_STAGE}:checkpoint", "hash", "permanent", "a few fields an input"),
    KeyKind(f"{_TAG}:{_STAGE}:state", "hash", "permanent", "a field of O(1) size a symbol"),
    KeyKind(f"{_TAG}:{_STAGE}:view", "hash", "permanent", "a field a symbol"),
    KeyKind(f"{_TAG}:incarnation", "string", "permanent", "one number and a nonce"),
    KeyKind(f"{_TAG}:losses", "hash", "permanent", "a field a reader, gone when it is removed"),
    KeyKind(f"{_TAG}:(?:{'|'.join(TOPICS)}):seen", "zset", "ttl", "cut at every write"),
    KeyKind(f"members:{_STAGE}", "zset", "ttl", "live workers"),
    KeyKind(r"client:\w+:\d+", "string", "ttl", "a number of a small range"),
    KeyKind(f"account:{_STAGE}:.+", "hash", "ttl", "a field a partition"),
    KeyKind("meta", "hash", "permanent", "a few facts"),
    KeyKind(r"budget:\w+", "hash", "ttl", "a few counts, two days after the last call"),
    KeyKind(OPS_TOPIC, "stream", "permanent", "trimmed at every write"),
)


def kind_of(key: str) -> KeyKind | None:
    """What a key of any namespace is; None where the log has no such key."""
    _, _, rest = key.partition(":")
    return next((kind for kind in KEY_KINDS if re.fullmatch(kind.pattern, rest)), None)
