"""Partitions: stable, and spread evenly over a cluster's masters."""

from collections import Counter

import pytest

from shared.bus.keys import Keys
from shared.bus.partitions import CLUSTER_SLOTS, partition_of, slot, tags


@pytest.mark.parametrize(
    ("tag", "expected"), [("123456789", 0x31C3 % CLUSTER_SLOTS), ("foo", 12182)]
)
def test_slot_is_what_redis_cluster_computes(tag: str, expected: int) -> None:
    """The slot is CRC16/XMODEM: 0x31C3 is its published check value, 12182 Redis' own for foo."""
    assert slot(tag) == expected


@pytest.mark.parametrize("partitions", [1, 2, 3, 7, 16, 64])
def test_every_partition_has_its_own_share_of_the_slots(partitions: int) -> None:
    """Partition i's tag lies in the i-th share and is the smallest number that does."""
    for index, tag in enumerate(tags(partitions)):
        assert slot(tag) * partitions // CLUSTER_SLOTS == index
        smaller = (slot(str(n)) * partitions // CLUSTER_SLOTS for n in range(int(tag)))
        assert index not in smaller


def test_sixteen_partitions_fall_evenly_on_three_masters() -> None:
    """Three masters with even slot ranges serve 5, 6 and 5 partitions."""
    assert Counter(slot(tag) * 3 // CLUSTER_SLOTS for tag in tags(16)) == {0: 5, 1: 6, 2: 5}


def test_symbol_keeps_its_partition_for_ever() -> None:
    """The partition is CRC-32 modulo their number; 0xCBF43926 is CRC-32's published check value."""
    assert partition_of("123456789", 16) == 0xCBF43926 % 16
    assert partition_of("123456789", 7) == 0xCBF43926 % 7


def test_keys_of_a_partition_share_one_tag() -> None:
    """Everything of a partition lies in one slot, so that one script can touch it all."""
    keys = Keys("t", 16)
    names = [
        keys.topic(5, "tick"),
        keys.lease(5, "signals"),
        keys.checkpoint(5, "signals"),
        keys.state(5, "signals"),
        keys.view(5, "candles"),
    ]
    assert {name.split("{")[1].split("}")[0] for name in names} == {"2"}
    assert names[0] == "t:{2}:tick"
