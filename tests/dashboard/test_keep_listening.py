"""What was left in the middle or heard in part, by made listens."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from dashboard.keep_listening import (
    KeepListening,
    Play,
    left_in_the_middle,
    read_keep_listening,
)
from dashboard.reasons import text_of
from segue import store
from segue.events import Action
from segue.settings import Settings
from segue.store import Document
from tests.dashboard.home_scene import listen
from tests.dashboard.site import read

NOW = datetime(2026, 5, 3, 21, 40, tzinfo=UTC)
AGO = NOW - timedelta(hours=1)


def _listen(part: float, action: Action, at: datetime = AGO, track: str = "t") -> Play:
    return Play(track, action, at, round(240_000 * part), 240_000, 0.0)


@pytest.mark.parametrize(
    ("listens", "is_left"),
    [
        ([_listen(0.5, Action.PROGRESSED)], True),
        ([_listen(0.7, Action.SKIPPED)], True),
        ([_listen(0.3, Action.SKIPPED)], False),
        ([_listen(0.05, Action.PROGRESSED)], False),
        ([_listen(0.95, Action.PROGRESSED)], False),
        ([_listen(1.0, Action.COMPLETED)], False),
        ([_listen(0.5, Action.PROGRESSED, NOW - timedelta(seconds=90))], False),
        ([_listen(1.0, Action.COMPLETED), _listen(0.5, Action.PROGRESSED)], False),
    ],
)
def test_what_was_left_in_the_middle(listens: Sequence[Play], is_left: bool) -> None:
    assert bool(left_in_the_middle(listens, NOW)) is is_left


def _fill(ours: Settings, collection: str, documents: Iterable[Document]) -> None:
    database = store.connect(ours.mongo)
    store.upsert(database, collection, documents)
    database.client.close()


def _read(ours: Settings) -> KeepListening:
    return read(
        ours, lambda database: read_keep_listening(database, "ada", lambda: NOW)
    )


@pytest.fixture
def ours(settings: Callable[..., Settings]) -> Settings:
    made = settings()
    tracks = [
        {
            "_id": f"t{n}",
            "title": f"Title {n}",
            "artist": "Ina",
            "artist_id": "ina",
            "album": f"Album {n // 4}",
            "album_id": f"album{n // 4}",
        }
        for n in range(8)
    ]
    _fill(made, store.TRACKS, tracks)
    albums = [{"_id": f"album{n}", "name": f"Album {n}", "n_tracks": 4} for n in (0, 1)]
    _fill(made, store.ALBUMS, albums)
    _fill(made, store.ARTISTS, [{"_id": "ina", "name": "Ina", "n_tracks": 8}])
    return made


@pytest.mark.mongo
def test_albums_and_artists_heard_in_part_come_latest_first(ours: Settings) -> None:
    earlier, later = NOW - timedelta(days=2), NOW - timedelta(hours=2)
    heard = [listen("ada", f"t{n}", earlier) for n in range(4)]
    heard += [listen("ada", f"t{n}", later) for n in (4, 5)]
    heard += [listen("ada", "t6", later, 0.6, Action.PROGRESSED)]
    heard += [listen("ben", "t7", later)]
    _fill(ours, store.LISTENS, heard)
    kept = _read(ours)
    assert [(card.name, card.text, card.href) for card in kept.cards] == [
        ("Album 1", "3 of 4 tracks heard lately", "/album/album1"),
        ("Ina", "7 of 8 tracks heard lately", "/artist/ina"),
    ]
    (left,) = kept.tracks
    assert left.track.track_id == "t6"
    assert text_of(left.note) == "2:24 of 4:00 heard at 19:40 UTC"


@pytest.mark.mongo
def test_a_playlist_counts_when_it_was_played_from(ours: Settings) -> None:
    playlist = {"name": "Late", "track_ids": ["t0", "t4", "t5", "t7"]}
    mine = {"user_id": "ada", "deleted_at": None}
    _fill(ours, store.PLAYLISTS, [{"_id": "ada|p1", **mine, **playlist}])
    plays = [listen("ada", f"t{n}", AGO, surface="home") for n in (0, 4)]
    _fill(ours, store.LISTENS, plays)
    assert [card.name for card in _read(ours).cards] == ["Ina"]
    plays = [listen("ada", f"t{n}", AGO, surface="playlist") for n in (0, 4, 5)]
    _fill(ours, store.LISTENS, plays)
    found = {card.name: card for card in _read(ours).cards}
    assert found["Late"].href == "/playlist/p1"
    assert found["Late"].text == "3 of 4 tracks heard lately"


@pytest.mark.mongo
def test_what_was_skipped_was_not_heard(ours: Settings) -> None:
    skips = [listen("ada", f"t{n}", AGO, 0.1, Action.SKIPPED) for n in range(3)]
    _fill(ours, store.LISTENS, skips)
    assert _read(ours) == KeepListening([], [])


@pytest.mark.mongo
def test_what_is_disliked_is_not_gone_on_with(ours: Settings) -> None:
    left = [listen("ada", f"t{n}", AGO, 0.6, Action.PROGRESSED) for n in (1, 2)]
    _fill(ours, store.LISTENS, left)
    said = {"user_id": "ada", "track_id": "t1", "action": "disliked", "at": AGO}
    _fill(ours, store.REACTIONS, [{"_id": "ada|t1", **said}])
    assert [each.track.track_id for each in _read(ours).tracks] == ["t2"]


@pytest.mark.mongo
def test_tracks_that_left_the_library_are_passed_over(ours: Settings) -> None:
    _fill(ours, store.LISTENS, [listen("ada", "gone", AGO, 0.6, Action.PROGRESSED)])
    assert _read(ours) == KeepListening([], [])
