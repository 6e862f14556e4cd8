"""The interface of all methods, and the list that follows from scores."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.recommenders.plays import Histories

Floats = NDArray[np.float64]
Rows = NDArray[np.int32]


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


def best_items(scores: Floats, k: int, excluded: NDArray[np.bool_]) -> Rows:
    """Return the `k` items of the highest scores for each listener, best first.

    Equal ones stand in the order of their numbers; -1 where all others are excluded.

    Parameters
    ----------
    excluded : ndarray, bool, of the shape of `scores`
        Items that must not be among them.
    """
    masked = np.where(excluded, -np.inf, scores)
    n_items = masked.shape[1]
    k = min(k, n_items)
    found = np.full((len(masked), k), -1, dtype=np.int32)
    for row, line in enumerate(masked):
        worst = np.partition(line, n_items - k)[n_items - k]
        may_be = np.flatnonzero((line >= worst) & (line > -np.inf))
        order = np.lexsort((may_be, -line[may_be]))[:k]
        found[row, : len(order)] = may_be[order]
    return found
