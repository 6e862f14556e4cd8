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


class _Candidate(NamedTuple):
    """A track that may be meant."""

    track_id: str
    album_key: str
    duration_s: float | None

    def distance(
        self, name: TrackName, album_key: str | None
    ) -> tuple[bool, float, str]:
        is_other_album = album_key is not None and album_key != self.album_key
        if name.duration_ms is None or self.duration_s is None:
            return is_other_album, 0.0, self.track_id
        off_s = abs(self.duration_s - name.duration_ms / 1000)
        return is_other_album, off_s, self.track_id


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
    by_name: dict[str, list[_Candidate]] = defaultdict(list)
    for track in tracks:
        candidate = _Candidate(
            track["_id"], name_key(track.get("album") or ""), track.get("duration_s")
        )
        by_name[track["name_id"]].append(candidate)

    def pick(name: TrackName) -> FoundTrack | None:
        candidates = by_name.get(name_id_of(name.artist, name.title))
        if not candidates:
            return None
        album = None if name.album is None else name_key(name.album)
        nearest = min(candidates, key=lambda each: each.distance(name, album))
        seconds = nearest.duration_s
        ms = None if seconds is None else round(seconds * 1000)
        return FoundTrack(nearest.track_id, ms)

    return [pick(name) for name in names]


def named_source(surface: str, name: TrackName, **more: Any) -> dict[str, Any]:
    """Return the `source` of an event about a play that was known by name."""
    told = {"artist": name.artist, "title": name.title, "album": name.album, **more}
    return {"surface": surface} | {k: v for k, v in told.items() if v is not None}
