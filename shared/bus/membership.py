"""Who owns which partition: everybody computes the same fair shares from the same list."""

import hashlib
from collections.abc import Sequence


def share(members: Sequence[str], partitions: int) -> dict[str, list[int]]:
    """Divide partitions among members, at most one partition's difference between any two.

    Rendezvous hashing with a cap: each partition prefers members by hash of the pair and goes to
    the first that still has room, so that a member who comes or goes moves few partitions.
    """
    if not members:
        return {}
    low, extra = divmod(partitions, len(members))
    # Which members carry the remainder is decided by hash too, else the first names always would.
    by_luck = sorted(members, key=lambda member: _weight(member, -1))
    room = {member: low + (rank < extra) for rank, member in enumerate(by_luck)}
    shares: dict[str, list[int]] = {member: [] for member in members}
    for partition in range(partitions):
        wanted = sorted(members, key=lambda member: _weight(member, partition), reverse=True)
        owner = next(member for member in wanted if len(shares[member]) < room[member])
        shares[owner].append(partition)
    return shares


def _weight(member: str, partition: int) -> bytes:
    return hashlib.blake2b(f"{member}/{partition}".encode(), digest_size=8).digest()
