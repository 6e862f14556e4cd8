"""Tracks that are played next: what follows what in the sessions of all listeners.

A step of a track to a later one of the same session counts the less the more plays lie
between them, ``1 / distance`` up to five (sequential rules: Ludewig and Jannach 2018).
How much one follows the other is the sum of steps over what it could be at most, given
how often both are played; a few plays are no proof, so five are added to these.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from segue.trained_model import Neighbours

SESSION_GAP_S: Final = 1_800
"""Who plays nothing for so long begins a new session."""
N_STEPS: Final = 5
SHRINKAGE: Final = 5.0
MOST_STEPS: Final = sum(1 / distance for distance in range(1, N_STEPS + 1))
"""What one play gives at most: a step to each of the next five."""

Rows = NDArray[np.int32]
Floats = NDArray[np.float64]


def sessions_of(listeners: Rows, at_s: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the number of the session of each play, from 0.

    Parameters
    ----------
    listeners, at_s : ndarray, shape (n,)
        By listener, and of each by time.
    """
    begins = np.diff(listeners, prepend=-1) != 0
    begins |= np.diff(at_s, prepend=0) > SESSION_GAP_S
    return np.cumsum(begins) - 1


def follow_table(
    sessions: NDArray[np.int64], items: Rows, n_items: int
) -> sparse.csr_array:
    """Return how much each item (column) follows each (row), from 0 to 1.

    Parameters
    ----------
    sessions, items : ndarray, shape (n,)
        Plays that say something for an item; those of a session together, by time.
    """
    steps = sparse.csr_array((n_items, n_items))
    for distance in range(1, N_STEPS + 1):
        earlier, later = items[:-distance], items[distance:]
        is_step = (sessions[:-distance] == sessions[distance:]) & (earlier != later)
        at = (earlier[is_step], later[is_step])
        said = np.full(len(at[0]), 1 / distance)
        steps += sparse.csr_array((said, at), (n_items, n_items))
    counts = np.bincount(items, minlength=n_items).astype(np.float64)
    found = steps.tocoo()
    row, column = found.coords
    could_be = MOST_STEPS * (np.sqrt(counts[row] * counts[column]) + SHRINKAGE)
    return sparse.csr_array((found.data / could_be, (row, column)), steps.shape)


def lately(rows: Rows, weights: Floats, at_s: Floats) -> tuple[Rows, Floats]:
    """Return what was heard last in the session, the last first, and what it says.

    Parameters
    ----------
    rows : ndarray, int32, shape (n,)
        Tracks of listens; those that speak against, or for nothing, have no part.
    at_s : ndarray, float64, shape (n,)
        When, in seconds since 1970.

    Returns
    -------
    rows : ndarray, int32
        Distinct, at most five.
    weights : ndarray, float64
        1 for the last, a half for the one before, a third ….
    """
    heard = [
        (second, row)
        for second, row, weight in zip(
            at_s.tolist(), rows.tolist(), weights.tolist(), strict=True
        )
        if weight > 0
    ]
    heard.sort(reverse=True)
    found: dict[int, None] = {}
    before_s = heard[0][0] if heard else 0.0
    for second, row in heard:
        if before_s - second > SESSION_GAP_S or len(found) == N_STEPS:
            break
        found[row], before_s = None, second
    places = np.arange(1, len(found) + 1)
    return np.array([*found], dtype=np.int32), np.asarray(1 / places)


def nearest_of(table: sparse.csr_array, n: int) -> Neighbours:
    """Return the `n` that follow each item most; equal ones by their rows."""
    n_items = table.shape[0]
    rows = np.full((n_items, n), -1, dtype=np.int32)
    likeness = np.zeros((n_items, n), dtype=np.float32)
    for item in range(n_items):
        span = slice(table.indptr[item], table.indptr[item + 1])
        near, says = table.indices[span], table.data[span].round(9)
        order = np.lexsort((near, -says))[:n]
        rows[item, : len(order)] = near[order]
        likeness[item, : len(order)] = says[order]
    return Neighbours(rows, likeness)
