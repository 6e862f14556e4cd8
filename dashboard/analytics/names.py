"""Names of what is counted, from the catalogue; what is not there is said so."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pymongo import DESCENDING
from pymongo.asynchronous.database import AsyncDatabase

from segue import store
from segue.activity import Kind
from segue.store import Document

NO_SURFACE: Final = "none"
_MOST_STYLES: Final = 200
_MOST_CHOSEN: Final = 16
_SHOWN_CHARS: Final = 40
_FIELDS: Final = dict.fromkeys(
    ("title", "artist", "artist_id", "duration_s", "missing"), 1
)
_COLLECTIONS: Final = {Kind.ARTIST: store.ARTISTS, Kind.STYLE: store.GENRES}


@dataclass(frozen=True, slots=True)
class Named:
    """What a key stands for.

    Attributes
    ----------
    note : str
        Of a track its artist; of what is not there, that it is not.
    artist_id : str
        Of a track, "" where it has none.
    """

    key: str
    name: str
    note: str = ""
    artist_id: str = ""
    duration_s: float | None = None


class Names:
    """Reads names from the catalogue."""

    def __init__(self, database: AsyncDatabase[Document]) -> None:
        self._database = database
        self._version: object = None
        self._chosen: dict[tuple[str, str], frozenset[str]] = {}

    async def of(self, kind: Kind, keys: Iterable[str]) -> dict[str, Named]:
        """Return what keys stand for, all of them."""
        wanted = list(keys)
        if kind is Kind.SURFACE:
            return {key: _surface(key) for key in wanted}
        if kind is Kind.TRACK:
            return await self._tracks(wanted)
        found = {
            row["_id"]: Named(row["_id"], row["name"])
            async for row in self._database[_COLLECTIONS[kind]].find(
                {"_id": {"$in": wanted}}, {"name": 1}
            )
        }
        return {key: found.get(key) or _unknown(kind, key) for key in wanted}

    async def tracks_in(self, style: str, artist: str) -> frozenset[str] | None:
        """Return the tracks of a style, of an artist, or of both; None of all.

        Of tracks whose file is gone too: they were played. What was found stays in
        memory until the catalogue changes.
        """
        if not style and not artist:
            return None
        catalogue = await self._database[store.CATALOGUE].find_one()
        version = None if catalogue is None else catalogue.get("version")
        if version != self._version or len(self._chosen) >= _MOST_CHOSEN:
            self._version, self._chosen = version, {}
        chosen = self._chosen
        found = None if version is None else chosen.get((style, artist))
        if found is None:
            found = chosen[style, artist] = await self._tracks_in(style, artist)
        return found

    async def _tracks_in(self, style: str, artist: str) -> frozenset[str]:
        wanted: dict[str, Any] = {}
        if style:
            wanted["genre_ids"] = style
        if artist:
            wanted["artist_id"] = artist
        rows = await self._database[store.TRACKS].find(wanted, {"_id": 1}).to_list()
        return frozenset(row["_id"] for row in rows)

    async def styles(self) -> Sequence[tuple[str, str]]:
        """Return key and name of the styles of most tracks, by name."""
        found = self._database[store.GENRES].find({}, {"name": 1})
        rows = await found.sort("n_tracks", DESCENDING).limit(_MOST_STYLES).to_list()
        return sorted(
            ((row["_id"], row["name"]) for row in rows), key=lambda each: each[1]
        )

    async def _tracks(self, keys: Sequence[str]) -> dict[str, Named]:
        found = self._database[store.TRACKS].find({"_id": {"$in": list(keys)}}, _FIELDS)
        cards = {row["_id"]: _track(row) async for row in found}
        return {key: cards.get(key) or _unknown(Kind.TRACK, key) for key in keys}


def _track(row: Document) -> Named:
    by = row.get("artist") or "Unknown artist"
    note = f"{by} · no longer in the library" if row.get("missing") else by
    return Named(
        row["_id"],
        row.get("title") or "Untitled",
        note,
        row.get("artist_id") or "",
        row.get("duration_s"),
    )


def _surface(key: str) -> Named:
    if key == NO_SURFACE:
        return Named(key, "not told")
    return Named(key, key[:_SHOWN_CHARS])


def _unknown(kind: Kind, key: str) -> Named:
    return Named(key, f"Unknown {kind} {key[:_SHOWN_CHARS]}", "not in the library")
