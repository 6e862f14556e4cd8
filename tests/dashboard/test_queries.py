from collections.abc import Callable

import pytest

from dashboard.queries import read_cards, read_for_you
from dashboard.reasons import text_of
from segue import store
from segue.settings import Settings
from segue.store import Document
from tests.dashboard.site import list_document, read

pytestmark = pytest.mark.mongo


def _track(number: int, **fields: object) -> Document:
    plain: Document = {
        "_id": f"t{number}",
        "title": f"Title {number}",
        "artist": f"Artist {number // 2}",
        "album": "Album",
        "genre": ["house", "dub"][number % 2],
        "duration_s": 61.5,
        "track_no": number,
    }
    return plain | fields


def _fill(ours: Settings, tracks: list[Document], *lists: Document) -> None:
    database = store.connect(ours.mongo)
    store.upsert(database, store.TRACKS, tracks)
    store.upsert(database, store.RECOMMENDATIONS, lists)
    database.client.close()


def test_a_list_comes_in_rank_order_with_reasons(
    settings: Callable[..., Settings],
) -> None:
    ours = settings()
    document = list_document("ada", ["t3", "t1", "gone"])
    document["items"].reverse()
    _fill(ours, [_track(n) for n in range(4)], document)
    for_you = read(ours, lambda database: read_for_you(database, "ada", 5))
    assert [(t.rank, t.track.track_id) for t in for_you.tracks] == [
        (1, "t3"),
        (2, "t1"),
    ]
    assert text_of(for_you.tracks[0].reason) == (
        "To try out: its place was given by lot; close to Title 0, which you played "
        "or liked; away from what you skipped"
    )
    assert not for_you.is_fallback


def test_without_a_list_each_artist_and_style_comes_once_first(
    settings: Callable[..., Settings],
) -> None:
    ours = settings()
    styles = ["house", "house", "dub", "dub", "house", "house"]
    _fill(ours, [_track(n, genre=style) for n, style in enumerate(styles)])
    for_you = read(ours, lambda database: read_for_you(database, "ada", 2))
    again = read(ours, lambda database: read_for_you(database, "ada", 2))
    assert for_you.is_fallback
    assert {t.track.genre for t in for_you.tracks} == {"house", "dub"}
    assert for_you == again


def test_an_empty_database_gives_empty_pages(
    settings: Callable[..., Settings],
) -> None:
    ours = settings()
    assert read(ours, lambda database: read_for_you(database, "ada", 5)).tracks == []


def test_tags_that_are_missing_are_named_so(
    settings: Callable[..., Settings],
) -> None:
    ours = settings()
    bare = {"title": None, "artist": None, "album": None, "genre": None}
    _fill(ours, [_track(0, **bare, duration_s=None)])
    card = read(ours, lambda database: read_cards(database, ["t0"]))["t0"]
    assert (card.title, card.artist, card.duration_ms) == (
        "Untitled",
        "Unknown artist",
        None,
    )
