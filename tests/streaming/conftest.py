"""A database of its own for each test of the stream."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from pymongo.database import Database

from segue import store
from segue.settings import Settings
from tests.conftest import SettingsFactory


@pytest.fixture
def ready(settings: SettingsFactory) -> Settings:
    return settings()


@pytest.fixture
def database(ready: Settings) -> Iterator[Database[store.Document]]:
    with closing(store.connect(ready.mongo).client) as client:
        database = client[ready.mongo.database]
        store.prepare(database)
        yield database
