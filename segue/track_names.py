"""Plays that are known by name only: which track of the catalogue each is of.

Histories from elsewhere name artist and title. Each track document has the `name_id` of
its own artist and title, so that a play finds its track by one indexed look; a play
whose track is not there has the `name_id` itself as `track_id`, and is matched when the
track arrives.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NamedTuple

from pymongo.database import Database

from segue import store
from segue.names import main_artist, name_key
from segue.recordings import normal_title
from segue.store import Document

PREFIX: Final = "name:"
_ID_CHARS: Final = 16
_N_REMEMBERED: Final = 65_536
_FIELDS: Final = ("name_id", "album", "duration_s")
_ARTICLE: Final = "the "
_PRESENT: Final = {"missing": {"$ne": True}}


@dataclass(frozen=True, slots=True)
class TrackName:
    """What somebody else calls a track."""

    artist: str
    title: str
    album: str | None = None
    duration_ms: int | None = None


class FoundTrack(NamedTuple):
    """The track of the catalogue that is meant."""

    track_id: str
    duration_ms: int | None


@lru_cache(maxsize=_N_REMEMBERED)
def name_id_of(artist: str, title: str) -> str:
    """Return the id that all spellings of artist and title have in common.

    Guests, accents, case, a leading "The" and notes on the release do not count.

    Examples
    --------
    >>> name_id_of("The Café ft. Bo", "Días") == name_id_of("cafe", "Dias (Remastered)")
    True
    >>> name_id_of("Cafe", "Dias")
    'name:b37ac03dafae9a06'
    """
    key = f"{artist_key(artist)}\n{normal_title(title)}"
    # a lone surrogate has no UTF-8
    digest = hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()
    return PREFIX + digest[:_ID_CHARS]


def artist_key(artist: str) -> str:
    """Return what all spellings of an artist have in common.

    Examples
    --------
    >>> artist_key("The Café ft. Bo")
    'cafe'
    """
    return normal_title(main_artist(artist)).removeprefix(_ARTICLE)


def is_name_id(track_id: str) -> bool:
    """Tell whether a `track_id` only names a track that was not in the catalogue."""
    return track_id.startswith(PREFIX)


def find_tracks(
    database: Database[Document], names: Sequence[TrackName]
) -> list[FoundTrack | None]:
    """Return the track of each name; None where the catalogue has none.

    Of several tracks with one artist and title, the album decides, then the nearest
    duration.
    """
    found = database[store.TRACKS].find(names_query(names), _FIELDS)
    return pick_tracks(names, found)


def find_by_name_id(
    database: Database[Document], name_ids: Iterable[str]
) -> dict[str, str]:
    """Return the `track_id` for each `name_id` that the catalogue has by now."""
    wanted = {"name_id": {"$in": sorted(set(name_ids))}, **_PRESENT}
    found = database[store.TRACKS].find(wanted, ("name_id",)).sort("_id", -1)
    return {track["name_id"]: track["_id"] for track in found}


def names_query(names: Iterable[TrackName]) -> dict[str, Any]:
    """Return the filter, on `tracks`, for all tracks that may be meant."""
    ids = {name_id_of(name.artist, name.title) for name in names}
    return {"name_id": {"$in": sorted(ids)}, **_PRESENT}


def pick_tracks(
    names: Sequence[TrackName], tracks: Iterable[Mapping[str, Any]]
) -> list[FoundTrack | None]:
    """Return the track of each name among those that `names_query` found."""
    by_name: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for track in tracks:
        by_name[track["name_id"]].append(track)

    def pick(name: TrackName) -> FoundTrack | None:
        candidates = by_name.get(name_id_of(name.artist, name.title), [])
        nearest = min(
            candidates, key=lambda track: _distance(name, track), default=None
        )
        if nearest is None:
            return None
        duration_s = nearest.get("duration_s")
        ms = None if duration_s is None else round(duration_s * 1000)
        return FoundTrack(nearest["_id"], ms)

    return [pick(name) for name in names]


def named_source(surface: str, name: TrackName, **more: Any) -> dict[str, Any]:
    """Return the `source` of an event about a play that was known by name."""
    told = {"artist": name.artist, "title": name.title, "album": name.album, **more}
    return {"surface": surface} | {k: v for k, v in told.items() if v is not None}


def _distance(name: TrackName, track: Mapping[str, Any]) -> tuple[bool, float, str]:
    other_album = name.album is None or name_key(name.album) != name_key(
        track.get("album") or ""
    )
    duration_s = track.get("duration_s")
    if name.duration_ms is None or duration_s is None:
        return other_album, 0.0, track["_id"]
    return other_album, abs(duration_s - name.duration_ms / 1000), track["_id"]
