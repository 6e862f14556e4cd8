"""The interface of all methods, and the list that follows from scores."""

from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from models.recommenders.plays import Histories

Floats = NDArray[np.float64]
Rows = NDArray[np.int32]

_ODD: Final = np.uint64(0x9E3779B97F4A7C15)
_MIXING: Final = (
    (np.uint64(30), np.uint64(0xBF58476D1CE4E5B9)),
    (np.uint64(27), np.uint64(0x94D049BB133111EB)),
)


class Recommender(Protocol):
    """A method that was fitted to plays."""

    @property
    def name(self) -> str:
        """What reports call it."""

    def scores(self, histories: Histories) -> Floats:
        """Return how much each listener will like each item.

        Parameters
        ----------
        histories : Histories
            Of `n` listeners, whom it need not know.

        Returns
        -------
        ndarray, float64, shape (n, n_items)
            The more the better; 0 where the method has nothing to say.
        """


def best_items(
    scores: Floats,
    k: int,
    excluded: NDArray[np.bool_],
    listeners: NDArray[np.intp] | None = None,
) -> Rows:
    """Return the `k` items of the highest scores for each listener, best first.

    Parameters
    ----------
    excluded : ndarray, bool, of the shape of `scores`
        Items that must not be among them; -1 stands where all others are.
    listeners : ndarray, shape (len(scores),), optional
        Numbers by which equal items stand in an order of each listener's own; without
        it in that of their numbers. In a data set's own order the popular may come
        first, and a method that has nothing to say would profit.
    """
    masked = np.where(excluded, -np.inf, scores)
    n_items = masked.shape[1]
    k = min(k, n_items)
    found = np.full((len(masked), k), -1, dtype=np.int32)
    for row, line in enumerate(masked):
        worst = np.partition(line, n_items - k)[n_items - k]
        may_be = np.flatnonzero((line >= worst) & (line > -np.inf))
        last = may_be if listeners is None else _lots(listeners[row], may_be)
        order = np.lexsort((last, -line[may_be]))[:k]
        found[row, : len(order)] = may_be[order]
    return found


def _lots(listener: np.intp, items: NDArray[np.intp]) -> NDArray[np.uint64]:
    """Return a number for each item, as if by lot, always the same (SplitMix64)."""
    # an array, because a product that goes round is meant here
    own = np.full(1, listener + 1, dtype=np.uint64) * _ODD
    mixed = own ^ (items.astype(np.uint64) + np.uint64(1))
    for shift, factor in _MIXING:
        mixed = (mixed ^ (mixed >> shift)) * factor
    told: NDArray[np.uint64] = mixed ^ (mixed >> np.uint64(31))
    return told
