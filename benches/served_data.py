"""A year of lists in `served`, as the stream would have counted them."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

import numpy as np
from pymongo.database import Database

from segue import store
from segue.activity import Level
from segue.served import COUNTS, MOST_RANKS, OF_ROWS, Served, document_of
from segue.sketches import sketch_of
from segue.store import Document

_SURFACES: Final = ("player", "radio")
_PARTS: Final = (
    *("now", "today", "month", "always", "seeds", "collaborative", "neighbours"),
    *("followers", "none"),
)
_KEPT: Final = {
    Level.HOUR: timedelta(days=90),
    Level.DAY: timedelta(days=365),
    Level.MONTH: timedelta(days=365),
}
_N_SHOWN: Final = 2_000
"""Different tracks of one span; a sketch is no larger for more."""


def fill_served(database: Database[Document], now: datetime, n_tracks: int) -> None:
    """Write spans of a year; each night there is another model."""
    rng = np.random.default_rng(11)
    for level, kept in _KEPT.items():
        start = level.start_of(now - kept)
        while start < now:
            end = level.end_of(start)
            found = _documents(level, start, min(end, now), n_tracks, rng)
            stamp = {"updated_at": now}
            database[store.SERVED].insert_many({**each, **stamp} for each in found)
            start = end


def _documents(
    level: Level,
    start: datetime,
    end: datetime,
    n_tracks: int,
    rng: np.random.Generator,
) -> Iterator[Document]:
    n_nights = max(1, (end - start).days)
    models = ["", *(f"{start.toordinal() + night:016x}" for night in range(n_nights))]
    for surface in _SURFACES:
        for model in models:
            yield document_of(level, start, surface, model, _served(n_tracks, rng))


def _served(n_tracks: int, rng: np.random.Generator) -> Served:
    shown = rng.integers(n_tracks, size=_N_SHOWN)
    rows = rng.integers(100, 1_000, (MOST_RANKS, len(OF_ROWS)))
    return Served(
        {name: int(rng.integers(1_000, 100_000)) for name in COUNTS},
        float(rng.random() * 1e6),
        rows,
        {part: rows[place] for place, part in enumerate(_PARTS)},
        rows[0],
        sketch_of(f"t{number:07d}" for number in shown.tolist()),
        n_tracks,
    )
