"""Every Redis key of the log, in one place. Everything of one partition shares one hash tag."""

from dataclasses import dataclass

from shared.bus.partitions import DEFAULT_PARTITIONS, tags
from shared.bus.topics import OPS_TOPIC, StageName, Topic

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

    def members(self, stage: StageName) -> str:
        """Sorted set: worker by the server time (ms) until which it counts as alive."""
        return f"{self.namespace}:members:{stage}"

    def meta(self) -> str:
        """Hash: the namespace's own facts, such as its number of partitions."""
        return f"{self.namespace}:meta"

    def ops(self) -> str:
        """Stream of operational events; not partitioned."""
        return f"{self.namespace}:{OPS_TOPIC}"

    def _key(self, partition: int, what: str) -> str:
        return f"{self.namespace}:{{{tags(self.partitions)[partition]}}}:{what}"
