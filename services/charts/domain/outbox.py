"""What waits to be sent to one client: bounded, and replaced by a snapshot when it overflows."""

from collections import deque
from dataclasses import dataclass, field


@dataclass(slots=True)
class Outbox:
    """Messages in order for a client that may be slower than the market.

    A client that is ``behind`` needs a snapshot before anything else: at first, and whenever more
    than ``capacity`` messages waited. What comes meanwhile is dropped, for the snapshot holds it.
    """

    capacity: int
    behind: bool = True
    dropped: int = 0
    _waiting: deque[str] = field(default_factory=deque)

    def put(self, message: str) -> None:
        """Queue a message, or drop everything in favour of a snapshot."""
        if not self.behind and len(self._waiting) >= self.capacity:
            self.dropped += len(self._waiting)
            self._waiting.clear()
            self.behind = True
        if self.behind:
            self.dropped += 1
        else:
            self._waiting.append(message)

    def take(self) -> str | None:
        """The next message of a client that is not behind."""
        return self._waiting.popleft() if self._waiting else None


def numbered(message: str, seq: int) -> str:
    """A JSON object's text with its sequence number put first, so that it is encoded once for all
    clients."""
    return f'{{"v":1,"seq":{seq},{message[1:]}'
