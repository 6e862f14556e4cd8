"""Now, today and always, by a made index and made documents, on a real MongoDB."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dashboard.horizon_lists import HorizonLists
from dashboard.kept_out import KeptOut
from dashboard.records import ShortList
from models.horizons import Horizon
from segue import store
from segue.settings import Settings
from segue.store import Document
from tests.dashboard.home_scene import listen, taste_of, towards, write_index
from tests.dashboard.site import read

pytestmark = pytest.mark.mongo
NOW = datetime(2026, 5, 3, 21, 40, tzinfo=UTC)
SettingsFactory = Callable[..., Settings]


@pytest.fixture
def ours(settings: SettingsFactory) -> Settings:
    """Settings with ten tracks in the catalogue: each of an artist of its own."""
    made = settings()
    tracks = [
        {"_id": f"t{n}", "title": f"Title {n}", "artist": f"Artist {n}"}
        for n in range(10)
    ]
    _fill(made, store.TRACKS, tracks)
    return made


def _fill(ours: Settings, collection: str, documents: Iterable[Document]) -> None:
    database = store.connect(ours.mongo)
    store.upsert(database, collection, documents)
    store.touch_catalogue(database)
    database.client.close()


def _lists(ours: Settings) -> dict[Horizon, ShortList]:
    return read(
        ours,
        lambda database: HorizonLists(
            database,
            ours.home,
            ours.taste,
            KeptOut(database, ours.taste.heard_s),
            lambda: NOW,
        ).read("ada"),
    )


def _ids(each: ShortList) -> list[str]:
    return [card.track_id for card in each.tracks]


def _know_three(home: Path, ours: Settings, at: datetime = NOW) -> None:
    index = write_index(home, 10)
    told = {"now": "t0", "today": "t5", "always": "t9"}
    tastes = {name: towards(index, track_id) for name, track_id in told.items()}
    _fill(ours, store.TASTES, [taste_of("ada", at, **tastes)])


def test_each_horizon_has_what_is_near_to_its_own_taste(ours: Settings) -> None:
    _know_three(ours.home, ours)
    lists = _lists(ours)
    assert _ids(lists[Horizon.NOW])[:2] == ["t0", "t1"]
    assert _ids(lists[Horizon.TODAY])[0] == "t5"
    assert _ids(lists[Horizon.ALWAYS])[:2] == ["t9", "t8"]
    assert {len(each.tracks) for each in lists.values()} == {6}


def test_what_is_blocked_disliked_or_just_heard_stays_out(ours: Settings) -> None:
    _know_three(ours.home, ours)
    said = {"user_id": "ada", "at": NOW}
    _fill(
        ours,
        store.REACTIONS,
        [
            {"_id": "ada|t0", "track_id": "t0", "action": "disliked", **said},
            {"_id": "ada|t5", "track_id": "t5", "action": "liked", **said},
            {"_id": "adam|t9", "track_id": "t9", "action": "disliked"},
        ],
    )
    block = {"track_id": "t1", "scope": "track", "action": "blocked", **said}
    _fill(ours, store.BLOCKS, [{"_id": "ada|track|t1", **block}])
    lately, before = NOW - timedelta(minutes=5), NOW - timedelta(hours=3)
    heard = [listen("ada", "t2", lately), listen("ada", "t3", before)]
    _fill(ours, store.LISTENS, heard)
    lists = _lists(ours)
    assert _ids(lists[Horizon.NOW])[0] == "t3"
    assert _ids(lists[Horizon.TODAY])[0] == "t5"
    assert _ids(lists[Horizon.ALWAYS])[0] == "t9"
    told = {track_id for each in lists.values() for track_id in _ids(each)}
    assert told.isdisjoint({"t0", "t1", "t2"})


def test_a_recording_and_an_artist_do_not_fill_a_list(ours: Settings) -> None:
    _know_three(ours.home, ours)
    same = [{"_id": "t1", "title": "Title 0", "recording_id": "t0"}]
    same += [{"_id": f"t{n}", "title": f"{n}", "artist_id": "a"} for n in (2, 3, 4, 5)]
    _fill(ours, store.TRACKS, same)
    _fill(ours, store.TRACKS, [{"_id": "t0", "title": "0", "recording_id": "t0"}])
    assert _ids(_lists(ours)[Horizon.NOW]) == ["t0", "t2", "t3", "t6", "t7", "t8"]


def test_a_horizon_without_evidence_says_so(ours: Settings) -> None:
    new = {each.silence for each in _lists(ours).values()}
    assert "Nothing heard yet." in new
    _know_three(ours.home, ours, at=NOW - timedelta(days=2))
    lists = _lists(ours)
    assert lists[Horizon.NOW].tracks == []
    assert lists[Horizon.TODAY] == ShortList([], "Nothing heard today yet.")
    assert _ids(lists[Horizon.ALWAYS])[0] == "t9"


def test_without_an_index_or_in_another_space_there_is_a_sentence(
    ours: Settings,
) -> None:
    _fill(ours, store.TASTES, [taste_of("ada", NOW)])
    assert {e.silence for e in _lists(ours).values()} == {
        "The music was not analysed yet."
    }
    _know_three(ours.home, ours)
    database = store.connect(ours.mongo)
    database[store.TASTES].update_one({}, {"$set": {"index_version": "v0"}})
    database.client.close()
    assert {e.silence for e in _lists(ours).values()} == {
        "The music was analysed anew: this comes with your next play."
    }


def test_only_skips_have_nothing_to_be_near_to(ours: Settings) -> None:
    index = write_index(ours.home, 10)
    skips = towards(index, "t3")
    skips = {**skips, "weight": 0.0, "negative_weight": 1.0}
    _fill(ours, store.TASTES, [taste_of("ada", NOW, now=skips)])
    assert _lists(ours)[Horizon.NOW].silence.startswith("Only skips")
