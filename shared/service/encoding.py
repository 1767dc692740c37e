"""JSON text of messages and answers."""

from typing import Any

import orjson


def encoded(content: Any) -> bytes:
    """Dataclasses and plain values as JSON."""
    return orjson.dumps(content)
