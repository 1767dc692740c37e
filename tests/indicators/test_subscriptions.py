"""The table of subscriptions, on SQLite and on a real PostgreSQL."""

from collections.abc import AsyncIterator

import pytest

from services.indicators.adapters.subscriptions import (
    MIGRATIONS,
    TABLES,
    Place,
    Subscriptions,
    TooMany,
)
from services.indicators.settings import IndicatorsSettings
from shared.clock import SystemClock
from shared.store.store import Store
from tests.conftest import Database

ANN, BOB = (Place(user, "EURUSD", "5m") for user in ("ann", "bob"))


@pytest.fixture
async def store(database: Database) -> AsyncIterator[Store]:
    made = Store("indicators", IndicatorsSettings.model_validate(database), MIGRATIONS)
    yield made
    await made.close()


@pytest.fixture
def subscriptions(store: Store) -> Subscriptions:
    return Subscriptions(store, SystemClock(), each_max=3)


async def test_a_recipe_is_wanted_until_its_last_subscriber_goes(
    subscriptions: Subscriptions,
) -> None:
    """Subscribing twice is subscribing once."""
    for place in (ANN, BOB, ANN):
        await subscriptions.add(place, ["sma:50", "rsi:7"])
    assert await subscriptions.wanted() == {"EURUSD": {"5m": ["rsi:7", "sma:50"]}}
    assert await subscriptions.remove(ANN, ["sma:50", "rsi:7"]) == ["rsi:7", "sma:50"]
    assert await subscriptions.remove(BOB, ["sma:50"]) == []
    assert await subscriptions.wanted("EURUSD") == {"EURUSD": {"5m": ["rsi:7"]}}
    assert await subscriptions.wanted("DAX") == {}


async def test_each_user_has_a_limit(subscriptions: Subscriptions) -> None:
    """Nothing of what passes it is taken; another user's count for themselves."""
    await subscriptions.add(ANN, ["sma:1", "sma:2"])
    with pytest.raises(TooMany, match="ann has 2 subscriptions of at most 3"):
        await subscriptions.add(ANN, ["sma:2", "sma:3", "sma:4"])
    await subscriptions.add(BOB, ["sma:3", "sma:4", "sma:5"])
    assert await subscriptions.of_user("ann") == [
        ("EURUSD", "5m", "sma:1"),
        ("EURUSD", "5m", "sma:2"),
    ]


async def test_migrations_go_both_ways(store: Store) -> None:
    """To nothing and back; the columns are those that the code works with."""
    await store.prepare()
    before, after = await store.downgrade("base")
    assert (before, after) == ("0001", "base")
    assert await store.upgrade() == ("base", "0001")
    assert [*TABLES.tables] == ["subscriptions"]
