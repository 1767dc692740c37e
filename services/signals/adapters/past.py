"""The last readings of some symbols' timeframes, out of a partition's log."""

from collections.abc import Collection

from services.signals.domain.relaying import Feed
from shared.bus.connection import execute
from shared.bus.log import START
from shared.bus.redis_log import RedisLog
from shared.events import LevelComputed
from shared.events.codec import RawEntry, decode

Rows = list[LevelComputed]

# As many as evaluations can wait, see PARKED_MAX.
_ROWS = 500
_PAGE = 2_000
# A partition's topic holds no more than this.
_ENTRIES_MAX = 100_000


class History:
    """Reads a partition's readings from the newest backwards."""

    def __init__(self, log: RedisLog) -> None:
        self._log = log

    async def of(self, partition: int, feeds: Collection[Feed]) -> tuple[str, dict[Feed, Rows]]:
        """The place it was read up to, and the last readings of each feed, the oldest first.

        Raises:
            RedisError: the log is away.
        """
        found: dict[Feed, list[RawEntry]] = {feed: [] for feed in feeds}
        last, upto = START, "+"
        for _ in range(_ENTRIES_MAX // _PAGE):
            page = await self._page(partition, upto)
            if not page:
                break
            last = page[0][0] if last == START else last
            upto = f"({page[-1][0]}"
            for entry in page:
                rows = found.get(_feed(entry))
                if rows is not None and len(rows) < _ROWS:
                    rows.append(entry)
            if all(len(rows) == _ROWS for rows in found.values()):
                break
        return last, {feed: _decoded(rows) for feed, rows in found.items()}

    async def _page(self, partition: int, upto: str) -> list[RawEntry]:
        key = self._log.keys.topic(partition, "level_computed")
        page: list[RawEntry] = await execute(
            self._log.redis, "XREVRANGE", key, upto, "-", "COUNT", _PAGE
        )
        return page


def _feed(entry: RawEntry) -> Feed:
    fields = dict(zip(entry[1][::2], entry[1][1::2], strict=False))
    return fields.get("symbol", ""), fields.get("timeframe", "")  # type: ignore[return-value]


def _decoded(rows: list[RawEntry]) -> Rows:
    return [event for _, event in decode(reversed(rows)) if isinstance(event, LevelComputed)]
