"""Which tracks lie together: k-means of their vectors, the same for the same tracks."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.vq import ClusterError, kmeans2

_SAMPLE: Final = 10_000
_ROUNDS: Final = 25
_BLOCK: Final = 65_536
_SEED: Final = 1


def clusters_of(
    vectors: NDArray[np.floating[Any]], n_clusters: int
) -> NDArray[np.int16]:
    """Return the cluster of each vector, 0 for the one of most vectors.

    Parameters
    ----------
    vectors : ndarray, shape (n, n_dims)
        Read in blocks.
    n_clusters : int
        At most so many; fewer where fewer vectors differ.

    Notes
    -----
    The middles are those of an even sample of 10,000 vectors; each vector belongs to
    the nearest.

    Examples
    --------
    >>> points = np.array([[0.0, 1], [5, 1], [5, 2], [0, 0], [5, 1.5]])
    >>> clusters_of(points, 2).tolist()
    [1, 0, 0, 1, 0]
    """
    step = max(1, -(-len(vectors) // _SAMPLE))
    middles = _middles(np.asarray(vectors[::step], np.float64), n_clusters)
    labels = np.concatenate(
        [np.zeros(0, np.intp)]
        + [
            _nearest(vectors[at : at + _BLOCK], middles)
            for at in range(0, len(vectors), _BLOCK)
        ]
    )
    # the largest first, so that colours and names stay where they were
    sizes = np.bincount(labels, minlength=len(middles))
    place = np.empty(len(middles), np.int16)
    place[np.argsort(-sizes, kind="stable")] = np.arange(len(middles))
    return place[labels]


def _middles(sample: NDArray[np.float64], n_clusters: int) -> NDArray[np.floating[Any]]:
    n_different = len(np.unique(sample, axis=0)) if len(sample) else 0
    for n in range(min(n_clusters, n_different), 1, -1):
        try:
            found, _ = kmeans2(
                sample,
                n,
                iter=_ROUNDS,
                minit="++",
                missing="raise",
                rng=np.random.default_rng(_SEED),
            )
        except ClusterError:  # one was left empty: that many are not there
            continue
        return np.asarray(found)
    return sample.mean(axis=0, keepdims=True) if len(sample) else sample[:0]


def _nearest(
    vectors: NDArray[np.floating[Any]], middles: NDArray[np.floating[Any]]
) -> NDArray[np.intp]:
    likeness = vectors @ middles.T - (middles**2).sum(axis=1) / 2
    return np.asarray(likeness.argmax(axis=1))
