"""What sounds like what was heard: it knows items that nobody has played."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.recommenders.plays import Histories
from segue.track_index import TrackIndex

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Content:
    """Nearness to the mean of what was heard less what was skipped, without hubs.

    Attributes
    ----------
    vectors : ndarray, float64, shape (n_items, n_dims)
        Rows of unit length; zeros of an item without features.
    scales : ndarray, float64, shape (n_items,)
        Hub scales.
    """

    vectors: Floats
    scales: Floats
    name: str = "content"

    def scores(self, histories: Histories) -> Floats:
        """As `Recommender.scores`."""
        tastes = np.asarray(histories.table @ self.vectors)
        lengths = np.linalg.norm(tastes, axis=1, keepdims=True)
        cosines = (tastes / np.where(lengths > 0, lengths, 1.0)) @ self.vectors.T
        is_known = (lengths > 0) & self.vectors.any(axis=1)
        return np.where(is_known, 1 - (1 - cosines) / self.scales, 0.0)


def content_of(items: Sequence[str], index: TrackIndex) -> Content:
    """Return the method for items that are tracks of an index, or are not."""
    rows = np.array([index.row_of.get(item, -1) for item in items], dtype=np.intp)
    is_known = rows >= 0
    vectors = np.where(is_known[:, None], index.vectors[rows], np.float32(0))
    scales = np.where(is_known, index.scales[rows], np.float32(1))
    return Content(vectors.astype(np.float64), scales.astype(np.float64))
