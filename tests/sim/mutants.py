"""The log and the runtime with one safeguard taken out each: the simulation must notice."""

from dataclasses import dataclass, replace

from shared.bus.log import FIRST_LIFE, Commit, Lease, Verdict
from shared.bus.stage_worker import StageWorker
from tests.sim.faults import Kind
from tests.sim.server import Server
from tests.sim.world import Build


class NoFence(Server):
    """Takes commits under any token."""

    def _judge(self, commit: Commit) -> Verdict:
        token = self.cell(commit.stage, commit.partition).token
        return super()._judge(replace(commit, token=token))


class NoSequence(Server):
    """Takes commits in any order; a repeat of the last one is still known by its name."""

    def _judge(self, commit: Commit) -> Verdict:
        cell = self.cell(commit.stage, commit.partition)
        if cell.checkpoint.get("txid") == commit.txid:
            return "DUP"
        return super()._judge(replace(commit, seq=cell.seq))


class NoTransaction(Server):
    """Takes every repeat for a commit that missed its turn."""

    def _judge(self, commit: Commit) -> Verdict:
        return super()._judge(replace(commit, txid="unknown"))


class NoFooting(Server):
    """Takes commits that rest on entries that a rollback has taken away."""

    def _judge(self, commit: Commit) -> Verdict:
        return super()._judge(replace(commit, rests_on=()))


class NoWitness(Server):
    """Renews the lease of a holder whose commits a rollback has taken away."""

    def _prolong(self, lease: Lease, seq: int, ttl_ms: int) -> bool:
        return super()._prolong(lease, 0, ttl_ms)


class NoNewLife(Server):
    """Tells readers outside that nothing was ever rolled back."""

    async def lives(self) -> list[str]:
        return [FIRST_LIFE] * self.partitions


class NoWaiting(StageWorker):
    """Decides on a close at once, whatever the joined topic has still to say of it."""

    async def _follow_ownership(self) -> None:
        await super()._follow_ownership()
        for decider in self._deciders.values():
            if decider._joined is not None:
                decider._joined.reached = 2**53


@dataclass(frozen=True, slots=True)
class Mutant:
    """A safeguard taken out, and the faults that it is there for."""

    build: Build
    kinds: tuple[Kind, ...]


MUTANTS: dict[str, Mutant] = {
    "no fence": Mutant(Build(server=NoFence), ("paused_at_commit", "orphaned_commit")),
    "no sequence check": Mutant(Build(server=NoSequence), ("delayed_commit",)),
    "no transaction id": Mutant(Build(server=NoTransaction), ("lost_reply", "doubled_commit")),
    "no waiting for the watermark": Mutant(Build(stage_worker=NoWaiting), ("late_topic",)),
    "no footing": Mutant(Build(server=NoFooting), ("rollback_at_commit",)),
    "no witness": Mutant(Build(server=NoWitness), ("rollback",)),
    "no incarnation": Mutant(Build(server=NoNewLife), ("rollback", "clock_jump")),
}
