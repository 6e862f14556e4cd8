"""Whether the newest tracks were analysed as the others were.

Extraction is the same arithmetic on any machine and under any version of a library; a
decoder that scales otherwise, a resampler that was swapped, a wrong mix of channels all
move the mean of a block. So does other music, which the report says too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from features.report_rows import ReportRows

GAP: Final = np.timedelta64(1, "h")
"""Runs of the analysis lie at least so far apart."""

MIN_TRACKS: Final = 30
"""Fewest tracks of the newest batch, and of the others."""


@dataclass(frozen=True)
class Drift:
    """How far the means of the newest batch lie from those of the other tracks.

    Attributes
    ----------
    since : datetime
        First extraction of the newest batch: the last run of the analysis, with the
        ones before it where it has less than `MIN_TRACKS`.
    n_newest, n_rest, n_folders : int
        Tracks of the batch and of the rest; folders of the batch.
    shifts : tuple of (block, shift)
        Root mean square over the dimensions of ``(mean - mean of the rest) /
        deviation``, less what chance gives; largest first.
    """

    since: datetime
    n_newest: int
    n_rest: int
    n_folders: int
    shifts: tuple[tuple[str, float], ...]


def measure_drift(rows: ReportRows) -> Drift | None:
    """Compare the newest batch with the rest; None when there are no two batches."""
    newest = newest_batch(rows.extracted_at)
    if newest is None:
        return None
    since = rows.extracted_at[newest].min().astype("datetime64[us]").astype(datetime)
    return Drift(
        since=since.replace(tzinfo=UTC),
        n_newest=int(newest.sum()),
        n_rest=int((~newest).sum()),
        n_folders=len(np.unique(rows.folders[newest])),
        shifts=block_shifts(rows.blocks, newest),
    )


def newest_batch(
    extracted_at: NDArray[np.datetime64],
) -> NDArray[np.bool_] | None:
    """Return which tracks are of the newest batch, None where all are of one.

    Parameters
    ----------
    extracted_at : ndarray of datetime64, shape (n_tracks,)
    """
    times = np.sort(extracted_at)
    starts = np.flatnonzero(np.diff(times) >= GAP) + 1
    enough = starts[(starts >= MIN_TRACKS) & (len(times) - starts >= MIN_TRACKS)]
    if len(enough) == 0:
        return None
    return np.asarray(extracted_at >= times[enough[-1]])


def block_shifts(
    blocks: Mapping[str, NDArray[np.float32]], newest: NDArray[np.bool_]
) -> tuple[tuple[str, float], ...]:
    """Return the shift of each block, largest first; see :class:`Drift`."""
    shifts = [(name, _shift(matrix, newest)) for name, matrix in blocks.items()]
    return tuple(sorted(shifts, key=lambda each: -each[1]))


def _shift(matrix: NDArray[np.float32], newest: NDArray[np.bool_]) -> float:
    finite = np.isfinite(matrix).all(axis=1)
    new, rest = matrix[newest & finite], matrix[~newest & finite]
    if not (len(new) and len(rest)):
        return 0.0
    difference = new.mean(axis=0, dtype=np.float64) - rest.mean(
        axis=0, dtype=np.float64
    )
    deviation = matrix[finite].std(axis=0, dtype=np.float64)
    shifts = np.divide(
        difference, deviation, out=np.zeros_like(difference), where=deviation > 0
    )
    chance = 1 / len(new) + 1 / len(rest)
    return float(np.sqrt(max(0.0, float(np.mean(shifts**2)) - chance)))
