"""Which version of each setting is in force on a partition's spine."""

import hashlib
import json
from typing import Any

CONFIG_FIELD = "@config"
INSTRUMENT = "instrument"


class Versions:
    """Versions by kind and name; one text of state."""

    def __init__(self, text: str) -> None:
        self._versions: dict[str, dict[str, str]] = json.loads(text)

    def renew(self, kind: str, name: str, version: str) -> bool:
        """Put a version in force; False if it is already."""
        of_kind = self._versions.setdefault(kind, {})
        if of_kind.get(name) == version:
            return False
        of_kind[name] = version
        return True

    def save(self) -> str:
        """The state as JSON text."""
        return json.dumps(self._versions, separators=(",", ":"))

    @staticmethod
    def digest(body: dict[str, Any]) -> str:
        """A body's version: 16 hex digits of the SHA-256 of its canonical JSON."""
        text = json.dumps(body, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()[:16]
