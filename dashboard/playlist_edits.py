"""Edits of a playlist's order: lists in, lists out.

An edit names what it saw: a row by its place and its track, and the version. One that
saw an older version is done all the same where only one thing can be meant.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from dashboard.refusals import RefusedError

MAX_TRACKS: Final = 5_000


@dataclass(frozen=True, slots=True)
class Row:
    """A row as somebody saw it.

    Attributes
    ----------
    place : int
        0-based.
    version : int
        That of the playlist which they saw.
    """

    place: int
    track_id: str
    version: int


def inserted(
    track_ids: Sequence[str], new: Sequence[str], at: int | None = None
) -> list[str]:
    """Return the tracks with others before the place `at`, or at the end.

    Examples
    --------
    >>> inserted(["a", "b"], ["x", "y"], 1), inserted(["a"], ["x"])
    (['a', 'x', 'y', 'b'], ['a', 'x'])

    Raises
    ------
    RefusedError
        When the playlist would be too long.
    """
    n_tracks = len(track_ids) + len(new)
    if n_tracks > MAX_TRACKS:
        raise RefusedError(
            400,
            "too_many_tracks",
            f"a playlist has at most {MAX_TRACKS:,} tracks, this would be {n_tracks:,}",
        )
    place = len(track_ids) if at is None else at
    return [*track_ids[:place], *new, *track_ids[place:]]


def removed(track_ids: Sequence[str], place: int) -> list[str]:
    """Return the tracks without the one at a place.

    Examples
    --------
    >>> removed(["a", "b", "c"], 1)
    ['a', 'c']
    """
    return [*track_ids[:place], *track_ids[place + 1 :]]


def moved(track_ids: Sequence[str], place: int, to: int) -> list[str]:
    """Return the tracks with the one at `place` standing at `to`.

    Examples
    --------
    >>> moved(["a", "b", "c"], 0, 2), moved(["a", "b", "c"], 2, 1)
    (['b', 'c', 'a'], ['a', 'c', 'b'])

    Raises
    ------
    RefusedError
        When there is no place `to`.
    """
    if to >= len(track_ids):
        raise RefusedError(
            400, "wrong_place", f"there is no place {to} among {len(track_ids)} tracks"
        )
    others = removed(track_ids, place)
    return [*others[:to], track_ids[place], *others[to:]]


def place_of(track_ids: Sequence[str], version: int, row: Row) -> int:
    """Return where a row is now.

    Of an older version, a track that is there once is found wherever it went.

    Examples
    --------
    >>> place_of(["a", "b"], 7, Row(1, "b", 7)), place_of(["b", "a"], 8, Row(1, "b", 7))
    (1, 0)

    Raises
    ------
    RefusedError
        When the row is not there, or it is not clear which one it is.
    """
    if row.version == version:
        if track_ids[row.place : row.place + 1] == [row.track_id]:
            return row.place
        raise RefusedError(
            400, "wrong_place", f"at place {row.place} is another track, or none"
        )
    if track_ids.count(row.track_id) == 1:
        return track_ids.index(row.track_id)
    raise changed_meanwhile()


def require_current(version: int, row: Row) -> None:
    """Raise `RefusedError` where an edit saw another version."""
    if row.version != version:
        raise changed_meanwhile()


def changed_meanwhile() -> RefusedError:
    """Return the answer to an edit of what is no longer so."""
    return RefusedError(
        409,
        "changed_meanwhile",
        "this playlist was changed meanwhile, in another tab perhaps; "
        "look at it as it is now, then try again",
    )
