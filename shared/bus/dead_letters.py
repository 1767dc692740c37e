"""Dead letters from outside: list them, put them back where that is true, or drop them.

What can go back is what has no place in an order that others have decided on already: requests in
an inbox, and signals and intents, which the notifier takes one by one. A spine, candles and levels
are ordered and numbered: their entry still stands there, and everybody else has decided on it.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from redis.asyncio import Redis

from shared.bus.connection import execute
from shared.bus.keys import Keys
from shared.bus.log import BusError
from shared.bus.redis_scripts import Script
from shared.bus.topics import Topic
from shared.events.codec import Poison, decode, decode_one
from shared.events.control import DeadLetter
from shared.events.evidence import digest

_PAGE = 500
_LETTERS: Topic = "dead_letter"
_BACK: dict[str, Topic] = {
    "inbox": "inbox",
    "signal_generated": "signal_generated",
    "alert_intent": "alert_intent",
}


@dataclass(frozen=True, slots=True)
class Kept:
    """A dead letter where it lies; its reference is ``PARTITION/ENTRY``."""

    partition: int
    entry: str
    letter: DeadLetter

    @property
    def reference(self) -> str:
        """What a person calls it."""
        return f"{self.partition}/{self.entry}"


class DeadLetters:
    """The dead letters of one namespace."""

    def __init__(self, redis: Redis, keys: Keys) -> None:
        self._redis = redis
        self._keys = keys
        self._script = Script.load("requeue")

    async def all(self) -> AsyncIterator[Kept]:
        """Every dead letter, one partition after the other, oldest first."""
        for partition in range(self._keys.partitions):
            after = "-"
            while entries := await execute(
                self._redis, "XRANGE", self._stream(partition), after, "+", "COUNT", _PAGE
            ):
                after = f"({entries[-1][0]}"
                for entry, event in decode(entries):
                    if isinstance(event, DeadLetter):
                        yield Kept(partition, entry, event)

    async def get(self, reference: str) -> Kept:
        """One dead letter.

        Raises:
            BusError: there is none of that reference.
        """
        number, _, entry = reference.partition("/")
        ms, _, n = entry.partition("-")
        good = number.isdecimal() and ms.isdecimal() and n.isdecimal()
        if good and int(number) < self._keys.partitions:
            stream = self._stream(int(number))
            for found, event in decode(await execute(self._redis, "XRANGE", stream, entry, entry)):
                if isinstance(event, DeadLetter):
                    return Kept(int(number), found, event)
        raise BusError(f"there is no dead letter {reference}; `tideline dlq list` shows them all")

    async def requeue(self, kept: Kept) -> str:
        """Put what was stepped over at the end of its topic and drop the letter; its new id.

        Raises:
            BusError: it cannot go back, and why.
        """
        topic = _back(kept)
        return await self._take(kept, topic, kept.letter.body)

    async def drop(self, kept: Kept) -> None:
        """Forget a letter.

        Raises:
            BusError: somebody was faster.
        """
        await self._take(kept, _LETTERS, [])

    async def _take(self, kept: Kept, topic: Topic, fields: list[str]) -> str:
        keys = [self._stream(kept.partition), self._keys.topic(kept.partition, topic)]
        entry = await self._script.run(self._redis, keys, [kept.entry, *fields])
        if not entry:
            raise BusError(f"there is no dead letter {kept.reference} any more")
        return str(entry)

    def _stream(self, partition: int) -> str:
        return self._keys.topic(partition, _LETTERS)


def _back(kept: Kept) -> Topic:
    """The topic that a letter's entry can go back to.

    Raises:
        BusError: it cannot, and why.
    """
    letter = kept.letter
    topic = _BACK.get(letter.topic)
    if topic is None:
        raise BusError(f"{kept.reference} cannot be put back: {_why_not(letter.topic)}")
    if digest(tuple(letter.body)) != letter.digest:
        raise BusError(f"{kept.reference} cannot be put back: it was too large to be kept whole")
    event = decode_one(letter.body)
    if isinstance(event, Poison):
        raise BusError(f"{kept.reference} cannot be put back: {event.reason}")
    if topic != event.TOPIC:
        raise BusError(f"{kept.reference} cannot be put back: {topic} takes no {event.TYPE}")
    return topic


def _why_not(topic: str) -> str:
    if topic == "feed":
        return "it is a price that was refused when it came, and its time is over"
    return f"{topic} has one order, and the other stages have decided on this entry already"
