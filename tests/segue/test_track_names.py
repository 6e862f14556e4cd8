from collections.abc import Iterator

import pytest
from pymongo.database import Database

from segue import store
from segue.track_names import (
    TrackName,
    find_by_name_id,
    find_tracks,
    is_name_id,
    name_id_of,
    named_source,
)
from tests.conftest import SettingsFactory


def track(track_id: str, album: str, duration_s: float) -> store.Document:
    return {
        "_id": track_id,
        "name_id": name_id_of("Ada & Bo", "Long Way"),
        "album": album,
        "duration_s": duration_s,
    }


@pytest.fixture
def database(settings: SettingsFactory) -> Iterator[Database[store.Document]]:
    database = store.connect(settings().mongo)
    yield database
    database.client.close()


@pytest.mark.mongo
def test_album_then_duration_say_which_track_is_meant(
    database: Database[store.Document],
) -> None:
    store.upsert(
        database,
        store.TRACKS,
        [
            track("a1", "First", 200.0),
            track("b1", "Best of", 180.0),
            track("b2", "Best of", 240.0),
            track("gone", "Lost", 200.0) | {"missing": True},
        ],
    )
    names = [
        TrackName("ADA and Bo", "Long Way (Remastered 2011)", "first", 240_000),
        TrackName("Ada & Bo", "long way", "Best Of", 236_000),
        TrackName("Ada & Bo", "long way", None, 181_000),
        TrackName("Ada & Bo", "Long Way", "Lost"),
        TrackName("Ada & Bo", "Long Way - Live"),
    ]
    assert find_tracks(database, names) == [
        ("a1", 200_000),
        ("b2", 240_000),
        ("b1", 180_000),
        ("a1", 200_000),
        None,
    ]


@pytest.mark.mongo
def test_a_name_is_found_when_its_track_has_arrived(
    database: Database[store.Document],
) -> None:
    name_id = name_id_of("Ada & Bo", "Long Way")
    assert is_name_id(name_id)
    assert find_by_name_id(database, [name_id]) == {}
    store.upsert(database, store.TRACKS, [track("t2", "A", 1.0), track("t1", "B", 1.0)])
    assert find_by_name_id(database, [name_id, "name:other"]) == {name_id: "t1"}


def test_a_source_tells_what_is_known() -> None:
    assert named_source("import", TrackName("Ada", "One"), importer="spotify") == {
        "surface": "import",
        "artist": "Ada",
        "title": "One",
        "importer": "spotify",
    }
