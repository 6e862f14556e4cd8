"""Databases with the indexes of `segue.indexes`, used again by one test after another.

To make and to drop the collections of one costs more than most tests that use it.
"""

from itertools import cycle
from typing import Any

from pymongo import MongoClient
from pymongo.database import Database

from segue import indexes
from segue.store import Document

# what a test that has ended still writes does not meet the next one
_NAMES = ("prepared_0", "prepared_1")


class PreparedDatabases:
    """The databases of one `mongod`, which are handed out in turn."""

    def __init__(self, client: MongoClient[Document]) -> None:
        self._turn = cycle([client[name] for name in _NAMES])
        for name in _NAMES:
            client.drop_database(name)
        first = client[_NAMES[0]]
        indexes.prepare(first)
        self._as_made = {name: _indexes(first, name) for name in indexes.INDEXES}

    def hand_out(self) -> str:
        """Return the name of one that is as `prepare` leaves a new one."""
        database = next(self._turn)
        missing = set(self._as_made)
        for name in database.list_collection_names():
            if _indexes(database, name) == self._as_made.get(name):
                database[name].delete_many({})
                missing.remove(name)
            else:
                database.drop_collection(name)
        if missing:
            indexes.prepare(database)
        return database.name


def _indexes(database: Database[Document], name: str) -> dict[str, Any]:
    return dict(database[name].index_information())
