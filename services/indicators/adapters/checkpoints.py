"""What the stage knows, as its last commit left it: read by the API and the desk, never written."""

from dataclasses import dataclass

import orjson

from services.indicators.domain.board import Board
from services.indicators.domain.stage import Recipes, subscribed_field
from services.indicators.domain.subscribed import candle_of, together
from shared.bus.connection import execute
from shared.bus.partitions import partition_of
from shared.bus.redis_log import RedisLog
from shared.bus.redis_reads import RedisReads
from shared.events import CandleClosed
from shared.market.timeframes import Timeframe

Texts = dict[Timeframe, list[str]]
_ROW = ("open_at", "at", "session_at", "open", "high", "low", "close", "volume")


@dataclass(frozen=True, slots=True)
class Known:
    """A symbol's boards, and the recipes that were subscribed besides everybody's."""

    boards: dict[Timeframe, Board]
    subscribed: Texts

    def pending(self, timeframe: Timeframe) -> list[str]:
        """Recipes whose past is missing yet."""
        board = self.boards.get(timeframe)
        return [] if board is None else list(board.pending)


class Checkpoints:
    """The indicators stage's saved state, and the candles stage's view of what is forming."""

    def __init__(self, log: RedisLog, recipes: Recipes) -> None:
        self._log = log
        self._reads = RedisReads(log.redis, log.keys)
        self._recipes = recipes

    async def symbols(self) -> list[str]:
        """Every symbol that has had a price.

        Raises:
            RedisError: the log is away.
        """
        return await self._reads.viewed("candles")

    async def known(self, symbol: str) -> Known:
        """Everything of one symbol; no boards where no candle of it has closed.

        Raises:
            RedisError: the log is away.
        """
        partition = partition_of(symbol, self._log.partitions)
        key = self._log.keys.state(partition, "indicators")
        fields = (symbol, subscribed_field(symbol))
        memory, asked = await execute(self._log.redis, "HMGET", key, *fields)
        subscribed: Texts = orjson.loads(asked or "{}")
        boards = {
            timeframe: Board(
                together(self._recipes[timeframe], subscribed.get(timeframe, ())), saved
            )
            for timeframe, saved in orjson.loads(memory or "{}").items()
        }
        return Known(boards, subscribed)

    async def subscribed(self) -> dict[str, Texts]:
        """What is subscribed of any symbol now.

        Raises:
            RedisError: the log is away.
        """
        prefix = subscribed_field("")
        found: dict[str, Texts] = {}
        for partition in range(self._log.partitions):
            key = self._log.keys.state(partition, "indicators")
            names = await execute(self._log.redis, "HKEYS", key)
            asked = [name for name in names if name.startswith(prefix)]
            texts = await execute(self._log.redis, "HMGET", key, *asked) if asked else []
            found |= {
                name.removeprefix(prefix): orjson.loads(text or "{}")
                for name, text in zip(asked, texts, strict=True)
            }
        return found

    async def forming(self, symbol: str, timeframe: Timeframe) -> CandleClosed | None:
        """The candle that is not over yet; None where no price of it has come.

        Raises:
            RedisError: the log is away.
        """
        shown = (await self._reads.views("candles", [symbol])).get(symbol)
        shape = None if shown is None else orjson.loads(shown)["candles"].get(timeframe)
        if shape is None:
            return None
        return candle_of(symbol, timeframe, [shape[name] for name in _ROW])
