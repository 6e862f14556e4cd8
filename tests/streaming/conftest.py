"""A database of its own for each test of the stream."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from pymongo.database import Database

from segue import store
from segue.settings import Settings
from streaming import facts
from tests.conftest import SettingsFactory


@pytest.fixture
def ready(settings: SettingsFactory) -> Settings:
    return settings(prepared=True)


@pytest.fixture
def database(ready: Settings) -> Iterator[Database[store.Document]]:
    facts._groups_of.cache_clear()  # a database of this name was another test's
    with closing(store.connect(ready.mongo).client) as client:
        database = client[ready.mongo.database]
        # the clock of the tests stands in the past: nothing of it is to expire
        for collection in (store.LIST_DELAYS, store.STREAM_MINUTES):
            database[collection].drop_indexes()
        yield database
