"""The nearest tracks of many points at once: a matrix product and one heap a point.

Tracks are taken in blocks that stay in the processor's cache: while a block's scores
are there, each query looks through them for what beats the worst that it holds, many at
a time. So no matrix of all scores is ever made, and the search costs little beside the
product itself.
"""

from collections.abc import Sequence
from typing import Final, Protocol

import numba
import numpy as np
from numpy.typing import NDArray

_BLOCK: Final = 2_048
_CHUNK: Final = 32


class Points(Protocol):
    """Tracks as points: a track index, or any that has these two."""

    @property
    def vectors(self) -> NDArray[np.float32]:
        """A row a track."""

    @property
    def scales(self) -> NDArray[np.float32]:
        """Greater than 0, one a track."""


def top_rows(
    queries: NDArray[np.float32],
    index: Points,
    k: int,
    excluded: Sequence[NDArray[np.int32]] | None = None,
) -> NDArray[np.int32]:
    """Return the `k` tracks of the highest score for each query.

    The score is ``(cosine - 1) / scale``, the cosine being the dot product; equal ones
    stand in the order of their rows.

    Parameters
    ----------
    queries : ndarray, float32, shape (n, n_dims)
    excluded : sequence of ndarray, int32, optional
        Ascending rows that must not be among them, for each query.

    Returns
    -------
    ndarray, int32, shape (n, k)
        Rows, best first; -1 where there are no more.
    """
    n = len(queries)
    scores = np.full((n, k), -np.inf, dtype=np.float32)
    rows = np.full((n, k), -1, dtype=np.int32)
    out, starts = _flat(excluded, n)
    inverse = 1 / index.scales
    for first in range(0, len(index.vectors), _BLOCK):
        block = index.vectors[first : first + _BLOCK]
        products = queries @ block.T
        _look_through(
            products, inverse[first : first + _BLOCK], first, out, starts, scores, rows
        )
    _sort(scores, rows)
    return rows


def _flat(
    excluded: Sequence[NDArray[np.int32]] | None, n: int
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Return all rows one after the other, and where each query's begin and end."""
    if excluded is None:
        return np.empty(0, dtype=np.int32), np.zeros(n + 1, dtype=np.int64)
    starts = np.zeros(n + 1, dtype=np.int64)
    np.cumsum([len(rows) for rows in excluded], out=starts[1:])
    flat = np.concatenate([*excluded, np.empty(0, dtype=np.int32)])
    return flat.astype(np.int32, copy=False), starts


@numba.njit(cache=True, nogil=True)
def _look_through(products, inverse, first, out, starts, scores, rows):  # type: ignore[no-untyped-def]
    """Put what is good enough of a block of products into the heaps."""
    n, n_tracks = products.shape
    for q in range(n):
        line = products[q]
        for column in range(n_tracks):
            line[column] = (line[column] - np.float32(1)) * inverse[column]
        for place in range(starts[q], starts[q + 1]):
            column = out[place] - first
            if 0 <= column < n_tracks:
                line[column] = -np.inf
        for start in range(0, n_tracks, _CHUNK):
            chunk = line[start : start + _CHUNK]
            if _has_better(chunk, scores[q, 0]):
                _take(chunk, first + start, scores[q], rows[q])


@numba.njit(cache=True, nogil=True)
def _has_better(chunk, worst):  # type: ignore[no-untyped-def]
    n_better = 0  # counted rather than found, which the processor does many at a time
    for score in chunk:
        n_better += score > worst
    return n_better > 0


@numba.njit(cache=True, nogil=True)
def _take(chunk, first, heap, held):  # type: ignore[no-untyped-def]
    for column, score in enumerate(chunk):
        if score > heap[0]:
            _replace_worst(heap, held, score, first + column)


@numba.njit(cache=True, nogil=True)
def _replace_worst(heap, held, score, row):  # type: ignore[no-untyped-def]
    """Put a track in the place of the worst one: the least score, of these the last."""
    k, at = len(heap), 0
    while True:
        child = 2 * at + 1
        if child >= k:
            break
        other = child + 1
        if other < k and (
            heap[other] < heap[child]
            or (heap[other] == heap[child] and held[other] > held[child])
        ):
            child = other
        if heap[child] > score or (heap[child] == score and held[child] < row):
            break
        heap[at], held[at] = heap[child], held[child]
        at = child
    heap[at], held[at] = score, row


def _sort(scores: NDArray[np.float32], rows: NDArray[np.int32]) -> None:
    for q in range(len(rows)):
        order = np.lexsort((rows[q], -scores[q]))
        rows[q] = rows[q][order]
