"""What the pages of the catalogue show, out of a real MongoDB, index and model."""

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from dashboard.catalogue import Catalogue
from dashboard.records import Shelf
from segue import store
from segue.discography import refresh_discography
from segue.names import album_id_of, artist_id_of, genre_id_of
from segue.settings import Settings
from segue.store import Document
from segue.track_index import create_track_index, write_track_index
from segue.trained_model import FOLDER, Neighbours, create_model, write_model
from tests.dashboard.site import Site, read

pytestmark = pytest.mark.mongo
ROADS, GLORY, TEARDROP, KARMA = "t1", "t2", "t3", "t4"


def track(key: str, title: str, artist: str, album: str, number: int) -> Document:
    return {
        "_id": key,
        "title": title,
        "artist": artist,
        "main_artist": artist,
        "artist_id": artist_id_of(artist),
        "album": album,
        "album_artist": artist,
        "album_artist_tag": artist,
        "album_artist_id": artist_id_of(artist),
        "album_id": album_id_of(artist, album),
        "genre": "trip hop",
        "genres": ["trip hop"],
        "genre_ids": [genre_id_of("trip hop")],
        "track_no": number,
        "year": 1994,
        "duration_s": 240.0,
        "path": f"/music/{key}.flac",
    }


TRACKS = [
    track(ROADS, "Roads", "Portishead", "Dummy", 8),
    track(GLORY, "Glory Box", "Portishead", "Dummy", 11),
    track(TEARDROP, "Teardrop", "Massive Attack", "Mezzanine", 3),
    track(KARMA, "Karmacoma", "Massive Attack", "Protection", 2),
]


def shown(
    ours: Settings, ask: Callable[[Catalogue], Coroutine[Any, Any, Shelf | None]]
) -> Shelf | None:
    return read(ours, lambda database: ask(Catalogue(database, ours.home)))


@pytest.fixture
def ours(settings: Callable[..., Settings]) -> Settings:
    made = settings()
    fill(made)
    return made


def fill(ours: Settings) -> None:
    database = store.connect(ours.mongo)
    store.upsert(database, store.TRACKS, TRACKS)
    refresh_discography(database)
    store.touch_catalogue(database)
    database.client.close()


def titles(shelf: Shelf | None, section: str) -> list[str]:
    assert shelf is not None
    for each in shelf.sections:
        if each.title == section:
            return [t.title for t in each.tracks] or [c.name for c in each.cards]
    return []


def test_an_artist_has_albums_and_tracks(ours: Settings) -> None:
    shelf = shown(ours, lambda c: c.artist(artist_id_of("Massive Attack")))
    assert shelf is not None
    assert shelf.title == "Massive Attack"
    assert shelf.facts == ["2 albums, 2 tracks, 8 min, 1994"]
    assert titles(shelf, "Albums") == ["Mezzanine", "Protection"]
    assert titles(shelf, "Tracks") == ["Teardrop", "Karmacoma"]


def test_an_album_has_its_tracks_in_order_and_leads_to_its_artist(
    ours: Settings,
) -> None:
    shelf = shown(ours, lambda c: c.album(album_id_of("Portishead", "Dummy")))
    assert titles(shelf, "") == ["Roads", "Glory Box"]
    assert shelf is not None
    way = shelf.facts[0]
    assert not isinstance(way, str)
    assert way.href == f"/artist/{artist_id_of('Portishead')}"


def test_a_style_has_all_of_it(ours: Settings) -> None:
    shelf = shown(ours, lambda c: c.genre(genre_id_of("Trip-Hop")))
    assert len(titles(shelf, "")) == 4
    assert titles(shown(ours, lambda c: c.genres()), "Styles") == ["trip hop"]


def test_what_is_not_there_has_no_page(ours: Settings) -> None:
    for ask in (Catalogue.artist, Catalogue.album, Catalogue.genre, Catalogue.track):
        assert shown(ours, lambda c, ask=ask: ask(c, "nothing")) is None  # type: ignore[misc]


def test_search_finds_each_kind_and_what_is_new(ours: Settings) -> None:
    async def ask(catalogue: Catalogue) -> tuple[Shelf, ...]:
        before = await catalogue.search("portished")
        nothing = await catalogue.search("strangers")
        database = store.connect(ours.mongo)
        new = track("t5", "Strangers", "Portishead", "Dummy", 5)
        store.upsert(database, store.TRACKS, [new])
        store.touch_catalogue(database)
        database.client.close()
        style = await catalogue.search("trip")
        return before, nothing, style, await catalogue.search("strangers")

    before, nothing, style, after = read(
        ours, lambda database: ask(Catalogue(database, ours.home))
    )
    assert titles(before, "Artists") == ["Portishead"]
    assert titles(before, "Albums") == ["Dummy"]
    assert titles(style, "Styles") == ["trip hop"]
    assert set(titles(before, "Tracks")) == {"Roads", "Glory Box"}
    assert nothing.sections == []
    assert titles(after, "Tracks") == ["Strangers"]


def test_a_track_shows_what_sounds_like_it_and_what_is_played_with_it(
    ours: Settings,
) -> None:
    bare = shown(ours, lambda c: c.track(ROADS))
    assert titles(bare, "") == ["Roads"]
    assert titles(bare, "Sounds like it") == titles(bare, "People also play") == []
    write_near(ours.home)
    shelf = shown(ours, lambda c: c.track(ROADS))
    assert titles(shelf, "Sounds like it") == ["Teardrop", "Karmacoma", "Glory Box"]
    assert titles(shelf, "People also play") == ["Karmacoma", "Glory Box"]


def write_near(home: Path) -> None:
    """Write an index of points on a circle, and a model of two neighbours."""
    ids = [each["_id"] for each in TRACKS]
    angles = np.array([0.0, 2.0, 0.5, 1.0])
    points = np.column_stack([np.cos(angles), np.sin(angles)]).astype(np.float32)
    write_track_index(home / "index", create_track_index("v1", ids, points))
    rows = np.array([[3, 1], [0, -1], [-1, -1], [0, -1]], dtype=np.int32)
    likeness = np.where(rows >= 0, np.array([0.9, 0.5]), 0).astype(np.float32)
    near = Neighbours(rows, likeness)
    facts = {
        "settings": {"confidence": 1.0, "regularization": 0.1},
        "blend": {"collaborative": 0.2, "neighbours": 0.2, "followers": 0.1},
        "trained_at": "2026-05-03T22:10:00.000Z",
        "data": {},
    }
    factors = np.ones((4, 2), dtype=np.float32)
    write_model(home / FOLDER, create_model(ids, factors, near, near, facts))


@pytest.mark.browser
@pytest.mark.slow
def test_from_a_typo_to_an_artist_without_a_pause(page: Page, site: Site) -> None:
    site.database[store.TRACKS].delete_many({})
    store.upsert(
        site.database,
        store.TRACKS,
        [
            {
                **each,
                "path": str(site.library / "track0.wav"),
                "root": str(site.library),
            }
            for each in TRACKS
        ],
    )
    refresh_discography(site.database)
    store.touch_catalogue(site.database)
    page.goto(f"{site.url}/search")
    expect(page.locator(".card-name").first).to_have_text("trip hop", timeout=20_000)
    page.get_by_label("Search").fill("portished")
    row = page.locator("#found [data-track-id]").first
    row.locator("[data-do=play]").click()
    expect(page.locator("#player")).to_have_attribute("data-state", "playing")
    page.evaluate("window.isTheSamePage = true")
    row.locator("a.artist").click()
    expect(page.locator("h1")).to_have_text("Portishead")
    assert page.title() == "Portishead · Segue"
    page.locator(".card", has_text="Dummy").click()
    expect(page.locator("h1")).to_have_text("Dummy")
    page.go_back()
    expect(page.locator("h1")).to_have_text("Portishead")
    expect(page.locator("#player")).to_have_attribute("data-state", "playing")
    assert page.evaluate("window.isTheSamePage") is True
    (started,) = (e for e in site.sink.events if e.action == "started")
    assert started.source is not None
    assert started.source["surface"] == "search"
