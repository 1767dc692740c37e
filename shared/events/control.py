"""Entries that steer the log itself: watermarks, requests to a spine's writer, dead letters."""

from typing import Annotated, Any, ClassVar

from pydantic import Field

from shared.events.base import AsJson, Event, Name

INBOX = "inbox"
DEAD_LETTERS = "dead_letter"
WATERMARK = "watermark"
# The kind of config entries that the indicators stage takes: a symbol's subscribed recipes.
INDICATORS_KIND = "indicators"


class Watermark(Event):
    """Everything that follows from spine entries up to ``pos`` stands before this entry.

    ``at`` is the time of the last heartbeat among them that the stage has seen since it started,
    0 if there is none. A symbol whose provider is late may close windows that ended before it.
    """

    TYPE: ClassVar[str] = WATERMARK
    TOPIC: ClassVar[str] = "*"


class ConfigRequested(Event):
    """Asks a partition's writer to put a ``config`` entry on its spine; ``pos`` is 0.

    Sent to every partition. The writer skips a request whose version is in force already.
    """

    TYPE: ClassVar[str] = "config_requested"
    TOPIC: ClassVar[str] = INBOX

    kind: Name
    name: Name
    version: Name
    body: Annotated[dict[str, Any], AsJson]

    @property
    def id(self) -> str:
        return f"{self.TYPE}:{self.kind}:{self.name}:{self.version}"


class ConfigPassed(Event):
    """A ``config`` entry of the spine, handed on to a stage that reads candles and no spine.

    It stands among the candles where the entry stood among the prices, and ``pos`` is the entry's.
    """

    TYPE: ClassVar[str] = "config_passed"
    TOPIC: ClassVar[str] = "candle_closed"

    kind: Name
    name: Name
    version: Name
    body: Annotated[dict[str, Any], AsJson]

    @property
    def id(self) -> str:
        return f"{self.TYPE}:{self.kind}:{self.name}:{self.version}:{self.pos}"


class DeadLetter(Event):
    """An entry that a stage stepped over, why, and what it held.

    ``at`` is the stepped-over entry's own time where it could be read, else 0; ``entry`` its
    stream id, ``digest`` the SHA-256 (first 16 hex digits) of its fields, which stand in ``body``.
    """

    TYPE: ClassVar[str] = "dead_letter"
    TOPIC: ClassVar[str] = DEAD_LETTERS

    stage: Name
    topic: Name
    entry: Name
    reason: Annotated[str, Field(min_length=1, max_length=1000)]
    digest: Name
    body: Annotated[list[str], AsJson]

    @property
    def id(self) -> str:
        return f"{self.TYPE}:{self.stage}:{self.topic}:{self.entry}:{self.digest}"
