"""Pages of the catalogue: search, artists, albums, styles and single tracks."""

import asyncio
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final

from pymongo import ASCENDING, DESCENDING
from pymongo.asynchronous.database import AsyncDatabase

from dashboard.near import played_with, sounding_like
from dashboard.queries import read_cards, read_tracks
from dashboard.records import Card, Section, Shelf, TrackCard
from dashboard.search import Kind, Named, SearchIndex
from segue import store
from segue.store import Document

_IN_ALBUMS: Final = ("album", "track_no", "title")
_SHOWN: Final[Mapping[Kind, int]] = {
    "artist": 6,
    "album": 6,
    "genre": 6,
    "track": 30,
}
_MOST_TRACKS: Final = 200
_MOST_CARDS: Final = 60
_NEAR: Final = 12
# of what is near some has left the library, or is the same title once more
_SPARE: Final = 3


class Catalogue:
    """Reads what the pages of the catalogue show.

    Parameters
    ----------
    home : Path
        Folder of Segue's own state, with track index and models.
    """

    def __init__(self, database: AsyncDatabase[Document], home: Path) -> None:
        self._database, self._home = database, home
        self._index, self._version = SearchIndex([]), -1
        self._building = asyncio.Lock()

    async def search(self, text: str) -> Shelf:
        """Return what fits to a text, by kind."""
        index = await self._current()
        found = await asyncio.to_thread(index.find, text)
        best = {
            kind: list(islice((e for e in found if e.kind == kind), most))
            for kind, most in _SHOWN.items()
        }
        cards = await read_cards(self._database, [e.key for e in best["track"]])
        tracks = [cards[e.key] for e in best["track"] if e.key in cards]
        sections = [
            Section("Artists", cards=list(map(_named, best["artist"]))),
            Section("Albums", cards=list(map(_named, best["album"]))),
            Section("Styles", cards=list(map(_named, best["genre"]))),
            Section("Tracks", tracks),
        ]
        return Shelf("Search", "search", _filled(sections))

    async def genres(self) -> Shelf:
        """Return all styles, the greatest first."""
        rows = self._database[store.GENRES].find().sort("n_tracks", DESCENDING)
        cards = [_card("genre", each) async for each in rows.limit(_MOST_CARDS)]
        return Shelf("Search", "search", _filled([Section("Styles", cards=cards)]))

    async def artist(self, key: str) -> Shelf | None:
        """Return an artist's page; None where there is none."""
        found = await self._database[store.ARTISTS].find_one(key)
        if found is None:
            return None
        theirs = {"artist_id": key}
        sections = [
            Section("Albums", cards=await self._albums(theirs)),
            Section("Tracks", await self._tracks(theirs, _IN_ALBUMS)),
        ]
        return _shelf(found, "artist", sections)

    async def album(self, key: str) -> Shelf | None:
        """Return an album's page; None where there is none."""
        found = await self._database[store.ALBUMS].find_one(key)
        if found is None:
            return None
        tracks = await self._tracks({"album_id": key}, ("track_no", "title"))
        by = Card(found["artist"], f"/artist/{found['artist_id']}", "")
        return _shelf(found, "album", [Section("", tracks)], by)

    async def genre(self, key: str) -> Shelf | None:
        """Return a style's page; None where there is none."""
        found = await self._database[store.GENRES].find_one(key)
        if found is None:
            return None
        tracks = await self._tracks({"genre_ids": key}, ("artist", *_IN_ALBUMS))
        return _shelf(found, "genre", [Section("", tracks)])

    async def track(self, key: str) -> Shelf | None:
        """Return a track's page, with what is near to it."""
        own = (await read_cards(self._database, [key])).get(key)
        if own is None:
            return None
        near = await asyncio.to_thread(sounding_like, self._home, key, _NEAR * _SPARE)
        played = await asyncio.to_thread(played_with, self._home, key, _NEAR * _SPARE)
        cards = await read_cards(self._database, {*near, *played})
        sections = [
            Section("", [own]),
            Section("Sounds like it", _others(near, cards, own)),
            Section("People also play", _others(played, cards, own)),
        ]
        ways = [Card(own.artist, f"/artist/{own.artist_id}", "")]
        if own.album:
            ways.append(Card(own.album, f"/album/{own.album_id}", ""))
        return Shelf(own.title, "track", _filled(sections), ways, key)

    async def _tracks(
        self, wanted: Mapping[str, str], order: Sequence[str]
    ) -> list[TrackCard]:
        return await read_tracks(self._database, wanted, order, _MOST_TRACKS)

    async def _albums(self, wanted: Mapping[str, str]) -> list[Card]:
        rows = self._database[store.ALBUMS].find(wanted)
        rows = rows.sort([("first_year", ASCENDING), ("name", ASCENDING)])
        return [_card("album", each) async for each in rows.limit(_MOST_CARDS)]

    async def _current(self) -> SearchIndex:
        """Return the index of what is there now; one at a time makes it anew."""
        versions = self._database[store.CATALOGUE]
        async with self._building:
            told = await versions.find_one(store.TRACKS) or {}
            version = int(told.get("version", 0))
            if version != self._version:
                names = await self._names()
                self._index = await asyncio.to_thread(SearchIndex, names)
                self._version = version
        return self._index

    async def _names(self) -> list[Named]:
        names = list[Named]()
        artists = self._database[store.ARTISTS].find({}, ("name",)).sort("name")
        names += [Named("artist", e["_id"], e["name"]) async for e in artists]
        genres = self._database[store.GENRES].find({}, ("name",)).sort("name")
        names += [Named("genre", e["_id"], e["name"]) async for e in genres]
        albums = self._database[store.ALBUMS].find({}, ("name", "artist")).sort("name")
        names += [
            Named("album", e["_id"], e["name"], e["artist"]) async for e in albums
        ]
        tracks = await read_tracks(self._database, {}, ("artist", "album"))
        names += [
            Named("track", e.track_id, e.title, f"{e.artist} {e.album}") for e in tracks
        ]
        return names


def _named(named: Named) -> Card:
    return Card(named.name, f"/{named.kind}/{named.key}", named.by)


def _card(kind: Kind | str, found: Document) -> Card:
    href = f"/{kind}/{found['_id']}"
    return Card(found["name"], href, _counts(found), found.get("cover_track_id"))


def _shelf(
    found: Document, surface: str, sections: Sequence[Section], *ways: Card
) -> Shelf:
    facts: list[str | Card] = [*ways, _counts(found)]
    cover = found.get("cover_track_id")
    return Shelf(found["name"], surface, _filled(sections), facts, cover)


def _counts(found: Document) -> str:
    minutes = round((found.get("duration_s") or 0) / 60)
    years = dict.fromkeys(filter(None, map(found.get, ("first_year", "last_year"))))
    said = [
        _number(found.get("n_albums"), "album"),
        _number(found.get("n_tracks"), "track"),
        f"{minutes:,} min" if minutes else "",
        " to ".join(map(str, years)),
    ]
    return ", ".join(filter(None, said))


def _number(count: Any, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}" if count else ""


def _filled(sections: Sequence[Section]) -> list[Section]:
    return [each for each in sections if each.tracks or each.cards]


def _others(
    ids: Sequence[str], cards: Mapping[str, TrackCard], own: TrackCard
) -> list[TrackCard]:
    """Return what is there of some tracks, each title of an artist once."""
    told = {(own.title, own.artist)}
    kept = []
    for card in (cards[track_id] for track_id in ids if track_id in cards):
        if (card.title, card.artist) not in told:
            told.add((card.title, card.artist))
            kept.append(card)
    return kept[:_NEAR]
