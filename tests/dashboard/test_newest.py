from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from dashboard.newest import read_newest
from segue import store
from segue.settings import Settings
from tests.dashboard.site import read

NOW = datetime(2026, 5, 3, 21, 40, tzinfo=UTC)


@pytest.mark.mongo
def test_what_was_added_last_comes_first_and_an_album_once(
    settings: Callable[..., Settings],
) -> None:
    ours = settings()
    database = store.connect(ours.mongo)
    tracks: list[store.Document] = [
        {"title": "Old", "album": "Tides", "album_id": "a", "artist": "Ina"},
        {"title": "Lone", "artist": "Bo"},
        {"title": "New", "album": "Tides", "album_id": "a", "artist": "Ina"},
        {"title": "Gone", "artist": "Bo", "missing": True},
    ]
    dated = [
        {"_id": f"t{n}", "added_at": NOW + timedelta(minutes=n), **each}
        for n, each in enumerate(tracks)
    ]
    undated = {"_id": "t9", "title": "Unknown when", "artist": "Cy"}
    store.upsert(database, store.TRACKS, [*dated, undated])
    database.client.close()
    cards = read(ours, read_newest)
    assert [(card.name, card.href, card.cover_track_id) for card in cards] == [
        ("Tides", "/album/a", "t2"),
        ("Lone", "/track/t1", "t1"),
    ]
