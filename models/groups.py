"""What tracks have in common: artist, album, recording; as numbers, by row."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.listens import Block
from segue.events import Scope
from segue.track_index import TrackIndex

Rows = NDArray[np.int32]


class TrackFacts(NamedTuple):
    """What the catalogue knows of a track; None where it does not."""

    artist_id: str | None
    album_id: str | None
    recording_id: str | None


class Grouping:
    """A number for each row; rows of one group have the same.

    Attributes
    ----------
    numbers : ndarray, int32, shape (n_tracks,)
    """

    def __init__(self, names: Sequence[str | None]) -> None:
        number_of: dict[str, int] = {}
        numbers = [
            # who is not known stands alone
            len(names) + row if name is None else number_of.setdefault(name, row)
            for row, name in enumerate(names)
        ]
        self.numbers: Rows = np.array(numbers, dtype=np.int32)
        self._order = np.argsort(self.numbers, kind="stable").astype(np.int32)
        self._sorted = self.numbers[self._order]

    def rows_with(self, rows: Rows) -> Rows:
        """Return the rows and all others of their groups, ascending."""
        wanted = np.unique(self.numbers[rows])
        starts = np.searchsorted(self._sorted, wanted, side="left")
        ends = np.searchsorted(self._sorted, wanted, side="right")
        spans = [self._order[a:b] for a, b in zip(starts, ends, strict=True)]
        return np.sort(np.concatenate([*spans, np.empty(0, dtype=np.int32)]))


@dataclass(frozen=True)
class TrackGroups:
    """Which tracks of an index share an artist, an album or a recording."""

    artist: Grouping
    album: Grouping
    recording: Grouping

    def of_scope(self, scope: str) -> Grouping:
        """Return what a block of a scope is about."""
        if scope == Scope.ARTIST:
            return self.artist
        return self.album if scope == Scope.ALBUM else self.recording


def create_groups(
    track_ids: Sequence[str], facts: Mapping[str, TrackFacts]
) -> TrackGroups:
    """Group the tracks; those without facts stand alone."""
    nothing = TrackFacts(None, None, None)
    known = [facts.get(track_id, nothing) for track_id in track_ids]
    return TrackGroups(
        Grouping([each.artist_id for each in known]),
        Grouping([each.album_id for each in known]),
        Grouping([each.recording_id for each in known]),
    )


def groups_of(tracks: Iterable[Mapping[str, Any]], index: TrackIndex) -> TrackGroups:
    """Group the tracks of an index by documents of `tracks`."""
    facts = {
        track["_id"]: TrackFacts(*(track.get(name) for name in TrackFacts._fields))
        for track in tracks
        if track["_id"] in index.row_of
    }
    return create_groups(index.track_ids, facts)


def blocked_rows(
    blocks: Sequence[Block], index: TrackIndex, groups: TrackGroups
) -> Rows:
    """Return the rows that blocks keep out, ascending.

    Parameters
    ----------
    blocks : sequence of Block
        By time: the last about a track, artist or album counts. Blocks of tracks that
        are not in the index are passed over.
    """
    is_on: dict[tuple[str, int], tuple[int, bool]] = {}
    for block in blocks:
        row = index.row_of.get(block.track_id)
        if row is not None:
            number = int(groups.of_scope(block.scope).numbers[row])
            is_on[block.scope, number] = row, block.is_on
    spans = [
        groups.of_scope(scope).rows_with(np.array([row], dtype=np.int32))
        for (scope, _), (row, is_blocked) in is_on.items()
        if is_blocked
    ]
    return np.unique(np.concatenate([*spans, np.empty(0, dtype=np.int32)]))
