"""Artists, albums and genres: documents that follow from the tracks.

They are made anew from the tracks that are there, by the database itself, and replaced
by `_id`: an artist without a track is gone, and doing it again changes nothing.

An album is by its album artist. Where no tag tells that one, an album name that
several artists share within one folder is a compilation by "Various artists", and any
other is by the track's artist; so two artists' "Greatest hits" are two albums. Tracks
of no known album are never made a compilation.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from os.path import dirname
from typing import Any, Final

from pymongo import UpdateOne
from pymongo.database import Database

from segue import store
from segue.names import (
    VARIOUS_ARTISTS,
    album_id_of,
    artist_id_of,
    main_artist,
    name_key,
)
from segue.store import Document
from segue.tags import UNKNOWN_ALBUM, UNKNOWN_ARTIST

_PRESENT: Final = {"missing": {"$ne": True}}
_ALBUM_FIELDS: Final = (
    "path",
    "album",
    "main_artist",
    "album_artist_tag",
    "album_artist",
    "album_artist_id",
    "album_id",
)
_BATCH: Final = 5000
_LAST: Final = 10_000  # behind every track number

# the first track that has a cover, else the first track: a page can always show it
_COVER: Final = {
    "is_bare": {"$cond": [{"$eq": [{"$type": "$cover_path"}, "string"]}, 0, 1]},
    "track_no": {"$ifNull": ["$track_no", _LAST]},
    "track_id": "$_id",
}
_TOTALS: Final = {
    "n_tracks": {"$sum": 1},
    "duration_s": {"$sum": "$duration_s"},
    "first_year": {"$min": "$year"},
    "last_year": {"$max": "$year"},
    "cover": {"$min": _COVER},
}
_TOTALS_OF_SPELLINGS: Final = {
    "n_tracks": {"$sum": "$n_tracks"},
    "duration_s": {"$sum": "$duration_s"},
    "first_year": {"$min": "$first_year"},
    "last_year": {"$max": "$last_year"},
    "cover": {"$min": "$cover"},
}

Stage = Mapping[str, Any]


def refresh_discography(database: Database[Document]) -> None:
    """Bring `artists`, `albums` and `genres` in line with the tracks that are there."""
    _set_album_ids(database)
    _refresh(database, store.ARTISTS, "artist_id", _artists())
    _refresh(database, store.ALBUMS, "album_id", _albums())
    _refresh(database, store.GENRES, "genre_ids", _genres())


def album_artists(tracks: Iterable[Document]) -> dict[str, str]:
    """Return whose album each track is on, by `_id`.

    Parameters
    ----------
    tracks : iterable of documents
        With `_id path album main_artist album_artist_tag`; all that lie in a folder.
    """
    by: dict[str, str] = {}
    untold: dict[tuple[str, str], list[Document]] = defaultdict(list)
    for track in tracks:
        if track["album_artist_tag"]:
            by[track["_id"]] = track["album_artist_tag"]
        elif track["album"] == UNKNOWN_ALBUM:
            by[track["_id"]] = track["main_artist"]
        else:
            place = (dirname(track["path"]), name_key(track["album"]))
            untold[place].append(track)
    for album in untold.values():
        artist = _artist_of(track["main_artist"] for track in album)
        by.update((track["_id"], artist) for track in album)
    return by


def _artist_of(names: Iterable[str]) -> str:
    spellings = {name_key(name): name for name in sorted(names, reverse=True)}
    known = [s for key, s in spellings.items() if key != name_key(UNKNOWN_ARTIST)]
    if len(known) > 1:
        return VARIOUS_ARTISTS
    return known[0] if known else UNKNOWN_ARTIST


def _set_album_ids(database: Database[Document]) -> None:
    tracks = list(database[store.TRACKS].find(_PRESENT, _ALBUM_FIELDS))
    updates = _album_updates(tracks, album_artists(tracks))
    while batch := list(islice(updates, _BATCH)):
        database[store.TRACKS].bulk_write(batch, ordered=False)
        store.touch_catalogue(database)


def _album_updates(
    tracks: Iterable[Document], by: Mapping[str, str]
) -> Iterator[UpdateOne]:
    for track in tracks:
        artist = by[track["_id"]]
        fields = {
            "album_artist": artist,
            "album_artist_id": artist_id_of(main_artist(artist)),
            "album_id": album_id_of(artist, track["album"]),
        }
        if any(track.get(name) != value for name, value in fields.items()):
            yield UpdateOne({"_id": track["_id"]}, {"$set": fields})


def _refresh(
    database: Database[Document],
    collection: str,
    id_field: str,
    pipeline: list[Stage],
) -> None:
    tracks = database[store.TRACKS]
    into = {"into": collection, "on": "_id", "whenMatched": "replace"}
    tracks.aggregate([*pipeline, {"$merge": into}], allowDiskUse=True)
    present = tracks.distinct(id_field, _PRESENT)
    database[collection].delete_many({"_id": {"$nin": present}})


def _artists() -> list[Stage]:
    return _summary("$artist_id", {"name": "$main_artist"}, ("n_albums",))


def _albums() -> list[Stage]:
    names = {
        "name": "$album",
        "artist": "$album_artist",
        "artist_id": "$album_artist_id",
    }
    return _summary("$album_id", names, ("n_artists",))


def _genres() -> list[Stage]:
    pairs = {"$zip": {"inputs": ["$genre_ids", "$genres"]}}
    single: list[Stage] = [
        {"$match": _PRESENT},
        {"$set": {"genre_pair": pairs}},
        {"$unwind": "$genre_pair"},
    ]
    genre_id, name = ({"$arrayElemAt": ["$genre_pair", at]} for at in (0, 1))
    return single + _summary(genre_id, {"name": name}, ("n_artists", "n_albums"))


def _summary(
    group_id: Any, names: Mapping[str, Any], counts: tuple[str, ...]
) -> list[Stage]:
    """Return stages that make one document of all tracks with the same id.

    Tracks are first grouped by id and spelling, then the spelling of most tracks names
    the document.
    """
    members = {"n_artists": "$artist_id", "n_albums": "$album_id"}
    sets = {name: {"$addToSet": members[name]} for name in counts}
    return [
        {"$match": _PRESENT},
        {"$group": {"_id": {"id": group_id, **names}, **_TOTALS, **sets}},
        {"$sort": {"n_tracks": -1, "_id": 1}},
        {
            "$group": {
                "_id": "$_id.id",
                **{name: {"$first": f"$_id.{name}"} for name in names},
                **_TOTALS_OF_SPELLINGS,
                **{name: {"$push": f"${name}"} for name in counts},
            }
        },
        {
            "$set": {
                "duration_s": {"$round": ["$duration_s", 3]},
                "cover_track_id": "$cover.track_id",
                **{name: {"$size": _union(f"${name}")} for name in counts},
            }
        },
        {"$unset": "cover"},
    ]


def _union(arrays: str) -> Stage:
    joined = {"$setUnion": ["$$value", "$$this"]}
    return {"$reduce": {"input": arrays, "initialValue": [], "in": joined}}
