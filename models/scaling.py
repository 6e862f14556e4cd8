"""Scores of different methods on one scale."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def over_greatest(scores: Floats) -> Floats:
    """Return scores over the greatest amount among them: from -1 to 1.

    Parameters
    ----------
    scores : ndarray, float64, shape (..., n)
        Those of one listener along the last axis.
    """
    greatest = np.abs(scores).max(axis=-1, keepdims=True, initial=0.0)
    return np.asarray(scores / np.where(greatest > 0, greatest, 1.0))
