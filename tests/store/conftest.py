"""The toy service's store on each kind of database."""

from collections.abc import AsyncIterator

import pytest

from shared.store.store import Store
from tests.conftest import Database
from tests.store.shelves import store


@pytest.fixture
async def shelves(database: Database) -> AsyncIterator[Store]:
    """The toy service's tables, not made yet."""
    made = store(database)
    yield made
    await made.close()
