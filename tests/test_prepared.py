import pytest
from pymongo import MongoClient
from pymongo.database import Database

from segue import indexes, store
from segue.store import Document
from tests.prepared import PreparedDatabases

pytestmark = pytest.mark.mongo


def _state(database: Database[Document]) -> dict[str, object]:
    return {
        name: (database[name].index_information(), list(database[name].find()))
        for name in database.list_collection_names()
    }


def test_what_is_handed_out_again_is_as_made(mongo_uri: str) -> None:
    with MongoClient[Document](mongo_uri) as client:
        new = client["of_test_prepared"]
        indexes.prepare(new)
        databases = PreparedDatabases(client)
        first, second = client[databases.hand_out()], client[databases.hand_out()]
        assert first != second
        for used in (first, second):
            used[store.TRACKS].insert_many([{}, {}])
            used[store.SERVED].drop_indexes()
            used[store.LOGINS].drop()
            used["of a test"].insert_one({})
            indexes.keep_listens_for(used, 3)
            assert databases.hand_out() == used.name
            assert _state(used) == _state(new)
        client.drop_database(new)
