"""Tracks that are played next: what follows what in the sessions of all listeners.

A step of a track to a later one of the same session counts the less the more plays lie
between them, ``1 / distance`` up to five (sequential rules: Ludewig and Jannach 2018).
How much one follows the other is the sum of steps over what it could be at most, given
how often both are played; a few plays are no proof, so five are added to these.
"""

from collections.abc import Iterable
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from segue.trained_model import Neighbours

SESSION_GAP_S: Final = 1_800
"""A play that ends later after the end of the one before begins a new session."""
N_STEPS: Final = 5
SHRINKAGE: Final = 5.0
MOST_STEPS: Final = sum(1 / distance for distance in range(1, N_STEPS + 1))
"""What one play gives at most: a step to each of the next five."""

_DECIMALS: Final = 9
_T = TypeVar("_T")

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
    sessions: NDArray[np.int64],
    items: Rows,
    n_items: int,
    first: int = 0,
    last: int | None = None,
) -> sparse.csr_array:
    """Return how much each item (column) follows those of `first` to `last` (rows).

    It is from 0 to 1.

    Parameters
    ----------
    sessions, items : ndarray, shape (n,)
        Plays that say something for an item; those of a session together, by time.
    """
    end = n_items if last is None else last
    shape = (end - first, n_items)
    steps = sparse.csr_array(shape)
    for distance in range(1, N_STEPS + 1):
        earlier, later = items[:-distance], items[distance:]
        is_step = (sessions[:-distance] == sessions[distance:]) & (earlier != later)
        is_step &= (first <= earlier) & (earlier < end)
        at = (earlier[is_step] - first, later[is_step])
        said = np.full(len(at[0]), 1 / distance)
        steps += sparse.csr_array((said, at), shape)
    counts = np.bincount(items, minlength=n_items).astype(np.float64)
    found = steps.tocoo()
    row, column = found.coords
    n_before, n_after = counts[row + first], counts[column]
    could_be = MOST_STEPS * (np.sqrt(n_before * n_after) + SHRINKAGE)
    return sparse.csr_array((found.data / could_be, (row, column)), steps.shape)


def last_of_session(heard: Iterable[tuple[float, _T]], as_of_s: float) -> list[_T]:
    """Return what was heard last in the session that lasts, at most five.

    Parameters
    ----------
    heard : iterable of tuple
        When a play ended, in seconds since 1970, and of what; the last first.
    as_of_s : float
        Who has played nothing for half an hour by then is in no session.

    Returns
    -------
    list
        Distinct, the last first; what stands at place `n` has `1 / n` to say.
    """
    found: dict[_T, None] = {}
    before_s = as_of_s
    for at_s, what in heard:
        if before_s - at_s > SESSION_GAP_S or len(found) == N_STEPS:
            break
        found[what], before_s = None, at_s
    return [*found]


def recency(n: int) -> Floats:
    """Return what each of the last `n` has to say: 1, a half, a third …."""
    return np.asarray(1 / np.arange(1, n + 1))


def nearest_of(table: sparse.csr_array, n: int) -> Neighbours:
    """Return the `n` that follow each item most; equal ones by their rows."""
    found = table.tocoo()
    row, column = found.coords
    says = found.data.round(_DECIMALS)
    order = np.lexsort((column, -says, row))
    row, column, says = row[order], column[order], says[order]
    place = np.arange(len(row)) - np.searchsorted(row, row)
    is_near = (place < n) & (says > 0)
    rows = np.full((table.shape[0], n), -1, dtype=np.int32)
    likeness = np.zeros((table.shape[0], n), dtype=np.float32)
    at = row[is_near], place[is_near]
    rows[at], likeness[at] = column[is_near], says[is_near]
    return Neighbours(rows, likeness)
