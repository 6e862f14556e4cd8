"""How well a ranking of tracks works: precision, hubs, intervals; NumPy only.

Tracks are rows of unit length with a scale each, and are ranked as Segue ranks them:
by ``1 - (1 - cosine) / scale``, best first. With scales of 1 that is the cosine.
Time is that of queries times tracks, memory that of a few rows of scores.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.intp]

NO_TRACK: Final = -1
"""Stands where fewer tracks could be ranked than were asked for."""

_QUERIES_AT_ONCE: Final = 128


def evenly_spaced(n_rows: int, at_most: int) -> Rows:
    """Return up to `at_most` of `n_rows` row numbers, evenly spaced, ascending.

    Examples
    --------
    >>> evenly_spaced(7, 3).tolist(), evenly_spaced(2, 3).tolist()
    ([0, 3, 6], [0, 1])
    """
    n = min(n_rows, at_most)
    return np.linspace(0, n_rows - 1, n).round().astype(np.intp)


def nearest(
    points: NDArray[np.float32],
    scales: NDArray[np.float32],
    queries: Rows,
    k: int,
    recordings: Rows | None = None,
) -> Rows:
    """Return the `k` best tracks for each query track, best first.

    Parameters
    ----------
    points : ndarray of float32, shape (n_tracks, n_dims)
        Rows of unit length.
    scales : ndarray of float32, shape (n_tracks,)
        Hub scale of each track, greater than 0.
    queries : ndarray of int, shape (n_queries,)
        Row numbers.
    recordings : ndarray of int, shape (n_tracks,), optional
        Number of the recording of each track: tracks of the query's own are left out.
        Default is that each track is a recording of its own.

    Returns
    -------
    ndarray of int, shape (n_queries, k)
        Row numbers; `NO_TRACK` where there are no more tracks.
    """
    found = np.full((len(queries), k), NO_TRACK, dtype=np.intp)
    own = np.arange(len(points)) if recordings is None else recordings
    for start in range(0, len(queries), _QUERIES_AT_ONCE):
        rows = queries[start : start + _QUERIES_AT_ONCE]
        away = 1 - points[rows] @ points.T
        away /= scales
        away[own[rows][:, None] == own] = np.inf
        best = _smallest(away, k)
        found[start : start + len(rows), : best.shape[1]] = best
    return found


def precision_at(
    neighbours: Rows, labels: Rows, queries: Rows, k: int
) -> NDArray[np.float64]:
    """Return the share of each query's first `k` neighbours that have its label.

    Parameters
    ----------
    neighbours : ndarray of int, shape (n_queries, at least k)
        From :func:`nearest`.
    labels : ndarray of int, shape (n_tracks,)
    queries : ndarray of int, shape (n_queries,)

    Examples
    --------
    >>> found, labels = np.array([[1, 2], [2, 0]]), np.array([0, 0, 1])
    >>> precision_at(found, labels, np.array([0, 1]), k=2)
    array([0.5, 0.5])
    """
    first = neighbours[:, :k]
    hits = (labels[first] == labels[queries][:, None]) & (first != NO_TRACK)
    return np.asarray(hits.mean(axis=1, dtype=np.float64))


def bootstrap_interval(
    values: NDArray[np.float64],
    rng: np.random.Generator,
    share: float = 0.95,
    n_resamples: int = 1000,
) -> tuple[float, float]:
    """Return an interval for the mean of `values` by resampling them (percentiles).

    Examples
    --------
    >>> bootstrap_interval(np.ones(5), np.random.default_rng(1))
    (1.0, 1.0)
    """
    picked = rng.integers(len(values), size=(n_resamples, len(values)))
    low, high = np.quantile(
        values[picked].mean(axis=1), [(1 - share) / 2, (1 + share) / 2]
    )
    return float(low), float(high)


def k_occurrence(neighbours: Rows, n_tracks: int) -> NDArray[np.int64]:
    """Return in how many of the lists each track stands.

    Parameters
    ----------
    neighbours : ndarray of int, shape (n_queries, k)
        From :func:`nearest`.

    Examples
    --------
    >>> k_occurrence(np.array([[1], [0], [1]]), n_tracks=3)
    array([1, 2, 0])
    """
    there = neighbours[neighbours != NO_TRACK]
    return np.bincount(there, minlength=n_tracks).astype(np.int64)


def sampled_occurrence(
    points: NDArray[np.float32],
    scales: NDArray[np.float32],
    sample: Rows,
    k: int,
    recordings: Rows,
) -> NDArray[np.int64]:
    """Return in how many lists of `k` of the others each track of a sample stands.

    Queries and tracks are both of the sample, so that a track stands in `k` lists on
    average whatever the size of the catalogue.
    """
    neighbours = nearest(
        points[sample],
        scales[sample],
        np.arange(len(sample)),
        k,
        recordings[sample],
    )
    return k_occurrence(neighbours, len(sample))


def top_share(counts: NDArray[np.int64], share: float = 0.01) -> float:
    """Return the part of all that the largest hundredth has, of at least one track.

    Examples
    --------
    >>> top_share(np.array([0, 1, 3]))
    0.75
    """
    n_top = max(1, round(share * len(counts)))
    total = int(counts.sum())
    return float(np.sort(counts)[-n_top:].sum() / total) if total else 0.0


def skewness(values: NDArray[np.number]) -> float:
    """Return the skewness ``E[(x - mean)³] / deviation³``; 0 where all are equal.

    Of a k-occurrence it is the usual measure of hubs (Radovanović et al. 2010).

    Examples
    --------
    >>> skewness(np.array([1, 2, 3])), round(skewness(np.array([0, 0, 3])), 3)
    (0.0, 0.707)
    """
    centred = values - values.mean(dtype=np.float64)
    deviation = float(centred.std())
    return float((centred**3).mean() / deviation**3) if deviation > 0 else 0.0


def _smallest(away: NDArray[np.float32], k: int) -> Rows:
    """Return the columns of the `k` smallest of each row, ascending by value."""
    n = min(k, away.shape[1])
    columns = np.argpartition(away, n - 1, axis=1)[:, :n]
    values = np.take_along_axis(away, columns, axis=1)
    order = np.lexsort((columns, values), axis=1)
    columns = np.take_along_axis(columns, order, axis=1)
    values = np.take_along_axis(values, order, axis=1)
    return np.where(np.isfinite(values), columns, NO_TRACK)
