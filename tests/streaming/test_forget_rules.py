"""Rules in MongoDB: which tracks are meant, and what a repeated batch changes."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from pymongo.database import Database

from segue import store
from segue.events import Action, Scope
from segue.names import artist_id_of
from segue.track_names import name_id_of
from streaming.forget_rules import is_forgotten, read_new_rules, read_rules, write_rules
from tests.conftest import SettingsFactory
from tests.factories import START, create_event, seconds

pytestmark = pytest.mark.mongo

LOST = name_id_of("Ada", "Lost")


@pytest.fixture
def database(settings: SettingsFactory) -> Iterator[Database[store.Document]]:
    database = store.connect(settings().mongo)
    store.upsert(
        database,
        store.TRACKS,
        [
            track("t1", "Ada", "Tides", "Low"),
            track("t2", "Ada", "Hills", "High"),
            track("t3", "Bo", "Tides", "Low"),
        ],
    )
    listen = {"user_id": "ada", "track_id": LOST}
    source = {"artist": "ADA feat. Bo", "title": "Lost", "album": "tides"}
    database[store.LISTENS].insert_one({"_id": "l"} | listen | {"source": source})
    yield database
    database.client.close()


def track(track_id: str, artist: str, album: str, title: str) -> store.Document:
    ids = {"artist_id": artist_id_of(artist), "name_id": name_id_of(artist, title)}
    return {"_id": track_id, "artist": artist, "album": album, "title": title} | ids


def row(scope: Scope | None, track_id: str = "t1", at: datetime = START) -> Any:
    event = create_event(Action.FORGOTTEN, track_id, event_id="f", play_id="p", at=at)
    fields = ("event_id", "user_id", "track_id", "session_id", "play_id", "action")
    told = {name: getattr(event, name) for name in fields}
    return told | {"event_time": at, "scope": scope, "until": None}


@pytest.mark.parametrize(
    ("scope", "track_id", "want"),
    [
        (Scope.TRACK, "t1", {"t1", name_id_of("Ada", "Low")}),
        (Scope.TRACK, name_id_of("Ada", "Low"), {"t1", name_id_of("Ada", "Low")}),
        (
            Scope.ARTIST,
            "t1",
            {"t1", "t2", LOST, name_id_of("Ada", "Low"), name_id_of("Ada", "High")},
        ),
        (
            Scope.ARTIST,
            LOST,
            {"t1", "t2", LOST, name_id_of("Ada", "Low"), name_id_of("Ada", "High")},
        ),
        (Scope.ALBUM, "t1", {"t1", LOST, name_id_of("Ada", "Low")}),
        (Scope.ARTIST, "nobody", {"nobody"}),
    ],
)
def test_all_ids_under_which_a_track_was_played_are_meant(
    database: Database[store.Document], scope: Scope, track_id: str, want: set[str]
) -> None:
    write_rules(database, [row(scope, track_id)])
    (rule,) = read_rules(database, ["ada"])["ada"]
    assert set(rule.values) == want


def test_no_scope_is_the_listen_and_a_repeated_batch_opens_nothing_again(
    database: Database[store.Document],
) -> None:
    write_rules(database, [row(None)])
    ids, rules = read_new_rules(database)
    assert ids == ["ada|f"]
    heard = row(None) | {"action": "completed", "played_ms": 1, "duration_ms": 2}
    assert is_forgotten(heard, rules)
    assert not is_forgotten(heard | {"user_id": "bob"}, rules)
    assert not is_forgotten(heard | {"play_id": "q"}, rules)

    database[store.FORGETS].update_many({}, {"$set": {"done_at": START}})
    write_rules(database, [row(None, at=START + seconds(0))])
    assert read_new_rules(database) == ([], {})
    assert read_rules(database, ["ada"]) == rules
    assert read_rules(database, ["bob"]) == {}


def test_a_rule_tells_how_many_listens_it_takes_out(
    database: Database[store.Document],
) -> None:
    listens = database[store.LISTENS]
    for n, (track_id, user_id) in enumerate(
        [("t1", "ada"), ("t1", "ada"), ("t2", "ada"), ("t1", "bob")]
    ):
        heard = {"_id": f"{n}", "track_id": track_id, "user_id": user_id}
        listens.insert_one(heard | {"listened_at": START + seconds(n)})
    for at, n_listens in ((START, 1), (START + seconds(9), 2)):
        database[store.FORGETS].delete_many({})
        write_rules(database, [row(Scope.TRACK, at=at)])
        listens.delete_many({"user_id": "ada"} if n_listens == 2 else {"_id": None})
        write_rules(database, [row(Scope.TRACK, at=at)])  # the batch runs again
        (document,) = database[store.FORGETS].find()
        assert document["n_listens"] == n_listens
