"""What became of the lists that were shown, by span of time: counts that add up.

A document of `served` counts the lists that were first shown in one hour, day or month,
on one surface, of one model. `_id` is `level|start|surface|model`, where no model had a
part `level|start|surface|`. Longer spans are sums of hours; the different tracks that
were shown are a sketch (HyperLogLog), which can be united.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from segue.activity import Level
from segue.clock import rfc3339
from segue.sketches import n_listeners, sketch_of, union_of
from segue.store import Document

OF_ROWS: Final = ("n_rows", "n_started", "n_completed", "n_skipped", "n_left")
"""Rows shown, and those of them whose track was played, completed, skipped, left."""
COUNTS: Final = (
    *("n_lists", "n_lists_hit"),
    *OF_ROWS,
    *("n_fresh", "n_judged", "n_popular"),
)
"""Of all lists. A list is hit where a row of it was played. `n_judged` rows were shown
when there were plays of the 30 days before, by which a track is popular, or new."""
MOST_RANKS: Final = 50
"""Rows of higher ranks are in the sums alone."""

Counts = NDArray[np.int64]


def no_rows() -> Counts:
    """Return `OF_ROWS` of nothing."""
    return np.zeros(len(OF_ROWS), np.int64)


def _no_ranks() -> Counts:
    return np.zeros((MOST_RANKS, len(OF_ROWS)), np.int64)


@dataclass(frozen=True, slots=True)
class Served:
    """What became of some lists.

    Attributes
    ----------
    counts : mapping
        Of `COUNTS`.
    novelty_bits : float
        Sum over the judged rows of how unexpected their tracks are.
    by_rank : int64 array of shape (MOST_RANKS, len(OF_ROWS))
    by_part : mapping of int64 arrays of shape (len(OF_ROWS),)
        By the part of the score that speaks most for a row.
    by_lot : int64 array of shape (len(OF_ROWS),)
        Of the rows whose places were given by lot, which are in their part, too.
    tracks : bytes
        A sketch of the tracks that were shown.
    n_catalogue : int
        Tracks that could have been shown, when that was counted last.
    """

    counts: Mapping[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTS, 0))
    novelty_bits: float = 0.0
    by_rank: Counts = field(default_factory=_no_ranks)
    by_part: Mapping[str, Counts] = field(default_factory=dict)
    by_lot: Counts = field(default_factory=no_rows)
    tracks: bytes = field(default_factory=lambda: sketch_of([]))
    n_catalogue: int = 0

    def __getitem__(self, name: str) -> int:
        return self.counts[name]

    @property
    def rows(self) -> Counts:
        """`OF_ROWS` of all rows."""
        return np.array([self.counts[name] for name in OF_ROWS], np.int64)

    @property
    def n_tracks(self) -> int:
        """About how many different tracks were shown."""
        return n_listeners([self.tracks])


def added(spans: Iterable[Served]) -> Served:
    """Return the sum of some spans, the newest last."""
    listed = list(spans)
    if len(listed) == 1:
        return listed[0]
    parts: dict[str, Counts] = defaultdict(no_rows)
    for each in listed:
        for name, rows in each.by_part.items():
            parts[name] += rows
    return Served(
        {name: sum(each.counts[name] for each in listed) for name in COUNTS},
        sum(each.novelty_bits for each in listed),
        np.sum([_no_ranks(), *(each.by_rank for each in listed)], axis=0),
        dict(parts),
        np.sum([no_rows(), *(each.by_lot for each in listed)], axis=0),
        union_of(each.tracks for each in listed),
        next((e.n_catalogue for e in reversed(listed) if e.n_catalogue), 0),
    )


def document_of(
    level: Level, start: datetime, surface: str, model: str, served: Served
) -> Document:
    """Return the document of a span."""
    return {
        "_id": f"{level}|{rfc3339(start)}|{surface}|{model}",
        "level": level.value,
        "start": start,
        "surface": surface,
        "model": model,
        **served.counts,
        "novelty_bits": served.novelty_bits,
        "by_rank": _by_name(served.by_rank.T),
        "by_part": {name: each.tolist() for name, each in served.by_part.items()},
        "by_lot": served.by_lot.tolist(),
        "tracks": served.tracks,
        "n_catalogue": served.n_catalogue,
    }


def served_of(document: Mapping[str, Any]) -> Served:
    """Return what a document says.

    Raises
    ------
    KeyError, TypeError, ValueError
        Where it is not whole.
    """
    by_rank = _no_ranks()
    for column, name in enumerate(OF_ROWS):
        told = document["by_rank"][name]
        by_rank[: len(told), column] = told
    parts = {
        name: np.array(each, np.int64) for name, each in document["by_part"].items()
    }
    by_lot = np.array(document["by_lot"], np.int64)
    if any(each.shape != (len(OF_ROWS),) for each in (*parts.values(), by_lot)):
        raise ValueError(f"the rows of {document['_id']} are not counted by five")
    return Served(
        {name: int(document[name]) for name in COUNTS},
        float(document["novelty_bits"]),
        by_rank,
        parts,
        by_lot,
        bytes(document["tracks"]),
        int(document["n_catalogue"]),
    )


def _by_name(columns: Counts) -> dict[str, list[int]]:
    """Return the counts by rank, without the zeros behind the last."""
    there = np.flatnonzero(columns.any(axis=0))
    n = int(there[-1]) + 1 if len(there) else 0
    return {
        name: column[:n].tolist() for name, column in zip(OF_ROWS, columns, strict=True)
    }
