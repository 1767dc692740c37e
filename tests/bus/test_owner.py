"""Leases of one worker, while others come and go and its own partitions end under its hands."""

from shared.bus.log import Lease
from shared.bus.memory_log import MemoryLog
from shared.bus.owner import Owner
from tests.clocks import Hand


async def test_word_of_a_former_lease_changes_nothing_of_the_later_one() -> None:
    """A session that ends late tells of its own lease, not of the one that replaced it."""
    clock = Hand()
    log = MemoryLog(1, clock.ms)
    owner = Owner(log, "feed", "w", clock)
    former = (await owner.settle()).gained[0]
    await log.acquire("feed", 0, "w", 3_000)
    clock.seconds += 1
    change = await owner.settle()
    assert change.lost == [0]
    assert [lease.token for lease in change.gained] == ["3:3"]
    owner.forget(former)
    owner.committed(former)
    clock.seconds += 1
    assert await owner.settle() == type(change)()


async def test_lease_lost_while_its_work_ends_is_not_given_back() -> None:
    """The last commit before a partition is given back may find that it is another's already."""
    clock = Hand()
    log = MemoryLog(2, clock.ms)
    owner = Owner(log, "feed", "w", clock)
    leases = {lease.partition: lease for lease in (await owner.settle()).gained}
    await log.heartbeat("feed", "other", 3_000)
    clock.seconds += 1

    async def work_ends(partitions: list[int]) -> None:
        for partition in partitions:
            owner.forget(leases[partition])

    change = await owner.settle(before_release=work_ends)
    assert len(change.lost) == 1


async def test_idle_owner_drops_what_a_rollback_took_back() -> None:
    """It has come to 1 and the log stands at 0: the partition is taken anew."""
    clock = Hand()
    log = MemoryLog(1, clock.ms)
    owner = Owner(log, "feed", "w", clock)
    lease = (await owner.settle()).gained[0]
    owner.committed(lease)
    clock.seconds += 1
    change = await owner.settle()
    assert change.lost == [0]
    assert isinstance(change.gained[0], Lease)
    assert change.gained[0].incarnation.startswith("1:")
