"""A listener's factors, out of those of the tracks that they heard.

Implicit matrix factorisation explains a 0 or 1, "does this listener like this track",
by a dot product, and is the surer of it the more the listener heard it (Hu, Koren and
Volinsky: Collaborative Filtering for Implicit Feedback Datasets, 2008). With the
factors of tracks given, those of a listener are one small least-squares problem; so a
new listener, and what was heard a second ago, need no new training.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Factors:
    """Trained factors of tracks; a row of zeros for a track that is not known.

    Attributes
    ----------
    vectors : ndarray, float32, shape (n_tracks, n_factors)
    gram : ndarray, float64, shape (n_factors, n_factors)
        Sum of each trained track's outer product with itself.
    confidence : float
        How much surer a weight of 1 makes (`alpha`).
    regularization : float
        For each track that speaks for itself (`lambda`).
    """

    vectors: NDArray[np.float32]
    gram: Floats
    confidence: float
    regularization: float

    @property
    def scales(self) -> NDArray[np.float32]:
        """Ones: no track is a hub here."""
        return np.ones(len(self.vectors), dtype=np.float32)


def gram_of(tracks: NDArray[np.float32]) -> Floats:
    """Return the sum of each row's outer product with itself."""
    rows = tracks.astype(np.float64)
    return np.asarray(rows.T @ rows)


def fold_in(
    factors: Factors, rows: NDArray[np.int32], weights: NDArray[np.float64]
) -> Floats:
    """Return the factors of a listener.

    Parameters
    ----------
    rows : ndarray, int32, shape (n,)
        Distinct tracks that were heard.
    weights : ndarray, float64, shape (n,)
        What each says; below 0 it is liked less than what was never heard.

    Returns
    -------
    ndarray, float64, shape (n_factors,)
        Zeros where nothing that is known speaks for itself.
    """
    heard = factors.vectors[rows].astype(np.float64)
    is_liked = (weights > 0) & heard.any(axis=1)
    if not is_liked.any():
        return np.zeros(factors.vectors.shape[1])
    surer = factors.confidence * np.abs(weights)
    squares = factors.gram + (heard * surer[:, None]).T @ heard
    squares[np.diag_indices_from(squares)] += factors.regularization * is_liked.sum()
    return np.asarray(np.linalg.solve(squares, heard.T @ (is_liked * (1 + surer))))
