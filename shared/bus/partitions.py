"""Which partition a symbol belongs to, and the hash tags that spread partitions evenly."""

import binascii
import zlib
from functools import cache

CLUSTER_SLOTS = 16384
DEFAULT_PARTITIONS = 16


def partition_of(symbol: str, partitions: int) -> int:
    """The partition of a symbol; stable for ever, as the number of partitions is."""
    return zlib.crc32(symbol.encode()) % partitions


def slot(tag: str) -> int:
    """Redis Cluster's slot of a hash tag (CRC16-CCITT/XMODEM modulo 16384)."""
    return binascii.crc_hqx(tag.encode(), 0) % CLUSTER_SLOTS


@cache
def tags(partitions: int) -> tuple[str, ...]:
    """One hash tag a partition, so that the partitions divide the slots evenly.

    Partition i gets the smallest number whose slot lies in its i-th share of the slots, so that
    every master of a cluster with even slot ranges serves as many partitions, within one, as any
    other. Plain ``p0..p15`` falls 4/5/7 on three masters.

    Raises:
        ValueError: fewer than one partition or more than there are slots.
    """
    if not 1 <= partitions <= CLUSTER_SLOTS:
        raise ValueError(f"partitions must be 1 to {CLUSTER_SLOTS}, not {partitions}")
    found: dict[int, str] = {}
    number = 0
    while len(found) < partitions:
        share = slot(str(number)) * partitions // CLUSTER_SLOTS
        found.setdefault(share, str(number))
        number += 1
    return tuple(found[index] for index in range(partitions))
