"""Where a radio may begin: a track, an artist, an album, a playlist, or the taste."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pymongo.asynchronous.database import AsyncDatabase

from dashboard.queries import PRESENT, read_cards
from dashboard.records import TrackCard
from dashboard.refusals import RefusedError
from segue import store
from segue.store import Document

TASTE: Final = "taste"
_TASTE_NAME: Final = "My taste now"
_MOST_TRACKS: Final = 500


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a station begins.

    Attributes
    ----------
    track_ids : sequence of str
        None for the taste.
    card : TrackCard, optional
        Of a track: the track.
    """

    name: str
    track_ids: list[str]
    card: TrackCard | None = None


_Read = Callable[[AsyncDatabase[Document], str, str], Awaitable[Origin | None]]


async def read_origin(
    database: AsyncDatabase[Document], user_id: str, kind: str, key: str
) -> Origin:
    """Read where a station of somebody begins.

    Raises
    ------
    RefusedError
        For a kind that there is not, and for what is not in the library.
    """
    if kind == TASTE:
        return Origin(_TASTE_NAME, [])
    if kind not in _READERS:
        kinds = ", ".join((*_READERS, TASTE))
        raise RefusedError(
            400, "wrong_kind", f"a radio begins at one of {kinds}, not at {kind[:40]!r}"
        )
    found = await _READERS[kind](database, user_id, key)
    if found is None or not found.track_ids:
        raise RefusedError(404, f"no_{kind}", f"this {kind} has no tracks here")
    return found


async def _track(
    database: AsyncDatabase[Document], _user_id: str, key: str
) -> Origin | None:
    card = (await read_cards(database, [key])).get(key)
    return None if card is None else Origin(card.title, [key], card)


async def _artist(
    database: AsyncDatabase[Document], _user_id: str, key: str
) -> Origin | None:
    return await _group(database, store.ARTISTS, {"artist_id": key}, key)


async def _album(
    database: AsyncDatabase[Document], _user_id: str, key: str
) -> Origin | None:
    return await _group(database, store.ALBUMS, {"album_id": key}, key)


async def _group(
    database: AsyncDatabase[Document],
    collection: str,
    wanted: Mapping[str, Any],
    key: str,
) -> Origin | None:
    found = await database[collection].find_one({"_id": key}, ("name",))
    if found is None:
        return None
    tracks = database[store.TRACKS].find({**PRESENT, **wanted}, ("_id",))
    rows = await tracks.sort("_id").limit(_MOST_TRACKS).to_list()
    return Origin(found["name"], [row["_id"] for row in rows])


async def _playlist(
    database: AsyncDatabase[Document], user_id: str, key: str
) -> Origin | None:
    # the id begins with its listener: nobody reaches another's
    wanted = {"_id": f"{user_id}|{key}", "deleted_at": None}
    found = await database[store.PLAYLISTS].find_one(wanted, ("name", "track_ids"))
    if found is None:
        return None
    return Origin(found["name"], found["track_ids"][:_MOST_TRACKS])


_READERS: Final[Mapping[str, _Read]] = {
    "track": _track,
    "artist": _artist,
    "album": _album,
    "playlist": _playlist,
}
