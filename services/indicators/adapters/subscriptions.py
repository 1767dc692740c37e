"""The table of subscriptions: a recipe stays for as long as anybody wants it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Index, String, Table, delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.clock import Clock
from shared.events.base import moment
from shared.market.timeframes import TIMEFRAMES, Timeframe
from shared.store.columns import UtcDateTime, metadata
from shared.store.store import Store

MIGRATIONS = Path(__file__).parents[1] / "migrations"
TABLES = metadata()
_ROWS = Table(
    "subscriptions",
    TABLES,
    Column("user_id", String(200), primary_key=True),
    Column("symbol", String(40), primary_key=True),
    Column("timeframe", String(4), primary_key=True),
    Column("recipe", String(80), primary_key=True),
    Column("created_at", UtcDateTime, nullable=False),
    Index("ix_subscriptions_symbol", "symbol"),
)

Wanted = Mapping[Timeframe, Sequence[str]]
"""Names of recipes by timeframe."""


class TooMany(Exception):
    """A user has as many subscriptions as there may be."""


@dataclass(frozen=True, slots=True)
class Place:
    """One user's chart."""

    user: str
    symbol: str
    timeframe: Timeframe


class Subscriptions:
    """Who wants what."""

    def __init__(self, store: Store, clock: Clock, each_max: int) -> None:
        self._store = store
        self._clock = clock
        self._each_max = each_max

    async def add(self, place: Place, recipes: Sequence[str]) -> None:
        """Subscribe; what the user has already stays as it is.

        Raises:
            TooMany: that would be more than a user may have; nothing is added.
            StoreError: the tables cannot be used.
        """
        async with self._store.writing() as connection:
            had = await self._of_user(connection, place)
            new = [name for name in dict.fromkeys(recipes) if name not in had]
            counted = select(func.count()).where(_ROWS.c.user_id == place.user)
            count = await connection.scalar(counted) or 0
            if count + len(new) > self._each_max:
                raise TooMany(
                    f"{place.user} has {count} subscriptions of at most {self._each_max}; "
                    "unsubscribe some"
                )
            now = moment(self._clock.now())
            rows = [{**_key(place), "recipe": name, "created_at": now} for name in new]
            if rows:
                await connection.execute(_ROWS.insert(), rows)

    async def remove(self, place: Place, recipes: Sequence[str]) -> list[str]:
        """Unsubscribe; which of them somebody else still wants.

        Raises:
            StoreError: the tables cannot be used.
        """
        here = (_ROWS.c.symbol == place.symbol) & (_ROWS.c.timeframe == place.timeframe)
        async with self._store.writing() as connection:
            await connection.execute(
                delete(_ROWS).where(
                    here, _ROWS.c.user_id == place.user, _ROWS.c.recipe.in_(recipes)
                )
            )
            left = select(_ROWS.c.recipe).where(here, _ROWS.c.recipe.in_(recipes)).distinct()
            return sorted(await connection.scalars(left))

    async def wanted(self, symbol: str | None = None) -> dict[str, Wanted]:
        """What somebody wants of every symbol, or of this one; names sorted.

        Raises:
            StoreError: the tables cannot be used.
        """
        chosen = select(_ROWS.c.symbol, _ROWS.c.timeframe, _ROWS.c.recipe).distinct()
        if symbol is not None:
            chosen = chosen.where(_ROWS.c.symbol == symbol)
        async with self._store.reading() as connection:
            rows = sorted((tuple(row) for row in await connection.execute(chosen)), key=_order)
        found: dict[str, dict[Timeframe, list[str]]] = {}
        for of_symbol, timeframe, recipe in rows:
            found.setdefault(of_symbol, {}).setdefault(timeframe, []).append(recipe)
        return dict(found)

    async def of_user(self, user: str) -> list[tuple[str, Timeframe, str]]:
        """A user's subscriptions, in order.

        Raises:
            StoreError: the tables cannot be used.
        """
        chosen = select(_ROWS.c.symbol, _ROWS.c.timeframe, _ROWS.c.recipe)
        async with self._store.reading() as connection:
            found = await connection.execute(chosen.where(_ROWS.c.user_id == user))
            rows: list[Any] = [tuple(row) for row in found]
        return sorted(rows, key=_order)

    async def _of_user(self, connection: AsyncConnection, place: Place) -> set[str]:
        chosen = select(_ROWS.c.recipe).filter_by(**_key(place))
        return set(await connection.scalars(chosen))


def _key(place: Place) -> dict[str, str]:
    return {"user_id": place.user, "symbol": place.symbol, "timeframe": place.timeframe}


def _order(row: tuple[Any, ...]) -> tuple[str, int, str]:
    symbol, timeframe, recipe = row
    return symbol, TIMEFRAMES.index(timeframe), recipe
