"""Where a taste was after each date, in the plane of all tracks.

The place of a date is the mean of the tracks that were heard up to it, each by what
spoke for it; that of a date fades by half in `HALF_LIFE_D` days.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.plane import Plane, plane_of
from segue.store import Document
from segue.track_index import TrackIndex, open_track_index

HALF_LIFE_D: Final = 10.0
_HALF_LIFE: Final = timedelta(days=HALF_LIFE_D)
_MOST_BEHIND: Final = 2_000
Places = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Step:
    """Where a taste was after one date.

    Attributes
    ----------
    track_id : str
        Of the date, the one that spoke for itself most.
    """

    day: datetime
    x: float
    y: float
    n_listens: int
    track_id: str


@dataclass(frozen=True, eq=False)
class Ground:
    """Where all tracks lie.

    Attributes
    ----------
    places : ndarray, float64, shape (n_tracks, 2)
    """

    index: TrackIndex
    plane: Plane
    places: Places

    @property
    def some(self) -> list[list[float]]:
        """Places of tracks, evenly chosen, so many as are drawn."""
        step = max(1, -(-len(self.places) // _MOST_BEHIND))
        return [[float(x), float(y)] for x, y in self.places[::step]]


@lru_cache(maxsize=1)
def ground_of(folder: Path, version: str) -> Ground:
    """Return where the tracks of an index lie; the last one stays in memory."""
    index = open_track_index(folder, version)
    plane = plane_of(index.vectors)
    return Ground(index, plane, plane.place(index.vectors))


def way_of(days: Sequence[Document], ground: Ground) -> list[Step]:
    """Return where a taste was after each date.

    Parameters
    ----------
    days : sequence of dict
        Documents of `taste_days`, oldest first. A date of which no track that speaks
        for itself is in the index makes no step.
    """
    steps: list[Step] = []
    total, weight = np.zeros(2), 0.0
    last: datetime | None = None
    for each in days:
        row_of = ground.index.row_of
        told = [
            (row_of[track_id], float(w), track_id)
            for track_id, w in zip(each["track_ids"], each["weights"], strict=False)
            if w > 0 and track_id in row_of
        ]
        if not told:
            continue
        kept = 0.0 if last is None else 0.5 ** ((each["day"] - last) / _HALF_LIFE)
        rows, weights = [row for row, _, _ in told], np.array([w for _, w, _ in told])
        total = kept * total + weights @ ground.places[rows]
        weight = kept * weight + float(weights.sum())
        last, (x, y) = each["day"], total / weight
        heaviest = max(told, key=lambda one: (one[1], one[2]))[2]
        steps.append(
            Step(each["day"], float(x), float(y), int(each["n_listens"]), heaviest)
        )
    return steps
