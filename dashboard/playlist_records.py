"""Playlists as records: out of documents, for pages and files."""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from dashboard.refusals import RefusedError

MAX_NAME_CHARS: Final = 200
N_COVERS: Final = 4
_NO_TEXT: Final = ("Cc", "Cs")  # control characters, halves of pairs


@dataclass(frozen=True, slots=True)
class Playlist:
    """A playlist as it is kept.

    Attributes
    ----------
    key : str
        Names it among those of its listener.
    duration_ms : int
        Of all tracks, as they were when each came in.
    version : int
        Grows with each change.
    shared : str, optional
        The token of its link; None where it has none.
    """

    user_id: str
    key: str
    name: str
    track_ids: Sequence[str]
    duration_ms: int
    version: int
    changed_at: datetime
    shared: str | None = None


@dataclass(frozen=True, slots=True)
class Summary:
    """What is shown of a playlist among others.

    Attributes
    ----------
    cover_track_ids : sequence of str
        Up to four tracks of different albums.
    """

    key: str
    name: str
    n_tracks: int
    duration_ms: int
    version: int
    is_shared: bool
    cover_track_ids: Sequence[str]


def checked_name(name: str) -> str:
    """Return a playlist's name with its spaces in order.

    Examples
    --------
    >>> checked_name("  Late   night ")
    'Late night'

    Raises
    ------
    RefusedError
        When nothing is left of it, or it is too long.
    """
    tidy = one_line(name)
    if not any(c.isprintable() for c in tidy.replace(" ", "")):
        raise RefusedError(400, "no_name", "a playlist needs a name")
    if len(tidy) > MAX_NAME_CHARS:
        raise RefusedError(
            400,
            "name_too_long",
            f"a name has at most {MAX_NAME_CHARS} characters, this has {len(tidy)}",
        )
    return tidy


def one_line(text: str) -> str:
    """Return a text without control characters, its spaces in order."""
    chars = (" " if unicodedata.category(c) in _NO_TEXT else c for c in text)
    return " ".join("".join(chars).split())


def playlist_of(found: Mapping[str, Any] | None) -> Playlist:
    """Return a document as a record.

    Raises
    ------
    RefusedError
        When there is none.
    """
    if found is None:
        raise not_there()
    return Playlist(
        found["user_id"],
        _key_of(found["_id"]),
        found["name"],
        found["track_ids"],
        found["duration_ms"],
        found["version"],
        found["changed_at"],
        found.get("shared"),
    )


def summary_of(row: Mapping[str, Any], albums: Mapping[str, str]) -> Summary:
    """Return a playlist among others; `albums` by track, of those that are there."""
    return Summary(
        _key_of(row["_id"]),
        row["name"],
        row["n_tracks"],
        row["duration_ms"],
        row["version"],
        row["is_shared"],
        covers_of(row["first"], albums),
    )


def covers_of(track_ids: Iterable[str], albums: Mapping[str, str]) -> list[str]:
    """Return the first tracks of different albums, four at most.

    Examples
    --------
    >>> covers_of(["a", "b", "c", "x"], {"a": "A", "b": "A", "c": "C"})
    ['a', 'c']
    """
    first: dict[str, str] = {}
    for track_id in track_ids:
        if track_id in albums:
            first.setdefault(albums[track_id], track_id)
    return list(first.values())[:N_COVERS]


def not_there() -> RefusedError:
    """Return the answer where a playlist is not, or no longer, or another's."""
    return RefusedError(404, "no_playlist", "there is no such playlist, or no longer")


def _key_of(document_id: str) -> str:
    return document_id.rpartition("|")[2]
