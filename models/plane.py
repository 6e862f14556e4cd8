"""The plane in which tracks differ most: what a map of the taste space is drawn in."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Vectors = NDArray[np.floating[Any]]

_N_AXES: Final = 2
_BLOCK: Final = 65_536


@dataclass(frozen=True, eq=False)
class Plane:
    """A plane of the taste space.

    Attributes
    ----------
    mean : ndarray, float64, shape (n_dims,)
        The point that lies at (0, 0).
    axes : ndarray, float64, shape (2, n_dims)
        Unit rows at right angles, the one of more variance first; one that the
        space has no dimension for is 0. Of each the loading of largest magnitude
        is positive.
    shown : float
        Which share of the variance lies in the plane, 0 to 1; 1 without any.
    """

    mean: Floats
    axes: Floats
    shown: float

    def place(self, vectors: Vectors) -> Floats:
        """Return where vectors lie, of shape (n, 2).

        Parameters
        ----------
        vectors : ndarray, shape (n, n_dims)
        """
        return (vectors @ self.axes.T) - self.mean @ self.axes.T


def plane_of(vectors: Vectors) -> Plane:
    """Return the plane of the first two principal components.

    Parameters
    ----------
    vectors : ndarray, shape (n, n_dims)
        Read in blocks, so that a mapped file of any size will do.

    Notes
    -----
    By the eigenvectors of the covariance; which way they point is a convention, so the
    same vectors always give the same map.

    Examples
    --------
    >>> plane = plane_of(np.array([[0.0, 0.0, 5.0], [2.0, 0.0, 5.0], [4.0, 0.0, 5.0]]))
    >>> plane.place(np.array([[4.0, 1.0, 5.0]])).tolist()[0][0]
    2.0
    >>> plane.shown
    1.0
    """
    n, n_dims = vectors.shape
    mean = np.zeros(n_dims)
    covariance = np.zeros((n_dims, n_dims))
    if n:
        mean = vectors.mean(axis=0, dtype=np.float64)
    for at in range(0, n, _BLOCK):
        off = vectors[at : at + _BLOCK] - mean
        covariance += off.T @ off / n
    variances, columns = np.linalg.eigh(covariance)
    axes = np.zeros((_N_AXES, n_dims))
    found = columns.T[::-1][:_N_AXES]
    axes[: len(found)] = [_turned(axis) for axis in found]
    total = variances.sum()
    shown = float(variances[::-1][:_N_AXES].sum() / total) if total > 0 else 1.0
    return Plane(mean, axes, min(1.0, shown))


def _turned(axis: Floats) -> Floats:
    """Return an axis that points to where its largest loading is positive."""
    return axis if axis[np.abs(axis).argmax()] > 0 else -axis
