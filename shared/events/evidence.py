"""What a dead letter keeps of what was stepped over, whoever writes it."""

import hashlib
from collections.abc import Sequence
from typing import Final

REASON_MAX: Final = 1_000
"""Characters of a reason."""

# Characters kept of a foreign entry, which may be of any size; the digest is over all of it.
_BODY_MAX = 65_536


def digest(fields: Sequence[str]) -> str:
    """First 16 hex digits of the SHA-256 over the fields, each ended by a zero byte."""
    whole = b"".join(field.encode("utf-8", "replace") + b"\0" for field in fields)
    return hashlib.sha256(whole).hexdigest()[:16]


def bounded(fields: Sequence[str]) -> list[str]:
    """The fields as far as they fit; a body that was cut does not fit its digest any more."""
    kept: list[str] = []
    left = _BODY_MAX
    for text in fields:
        if left <= 0:
            break
        kept.append(text[:left])
        left -= max(1, len(text))
    return kept
