"""What methods learn from, and what they are asked about."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Floats = NDArray[np.float64]


class Histories(NamedTuple):
    """What some listeners heard.

    Attributes
    ----------
    table : csr_array, shape (n, n_items)
        As `Plays.table`; rows are listeners.
    last_s : ndarray, int64
        When each of its entries was heard last, in seconds since 1970.
    """

    table: sparse.csr_array
    last_s: NDArray[np.int64]

    def pick(self, rows: NDArray[np.intp]) -> "Histories":
        """Return those of some listeners."""
        places = sparse.csr_array(
            (np.arange(1, len(self.last_s) + 1), self.table.indices, self.table.indptr),
            self.table.shape,
        )
        return Histories(self.table[rows], self.last_s[places[rows].data - 1])


@dataclass(frozen=True, eq=False)
class Plays:
    """Plays of items by listeners; `n` of them.

    Attributes
    ----------
    listeners, items : ndarray, int32, shape (n,)
        Numbers from 0.
    weights : ndarray, float64, shape (n,)
        What each says; not 0, below 0 against.
    at_s : ndarray, int64, shape (n,)
        Seconds since 1970; all 0 where no times are known.
    """

    listeners: NDArray[np.int32]
    items: NDArray[np.int32]
    weights: Floats
    at_s: NDArray[np.int64]
    n_listeners: int
    n_items: int

    def pick(self, chosen: NDArray[np.bool_]) -> "Plays":
        """Return the chosen plays, of as many listeners and items."""
        return Plays(
            self.listeners[chosen],
            self.items[chosen],
            self.weights[chosen],
            self.at_s[chosen],
            self.n_listeners,
            self.n_items,
        )

    def histories(self) -> "Histories":
        """Return what each listener heard, and when last."""
        table = self.table()
        order = np.argsort(self.at_s, kind="stable")
        keys = self.listeners[order].astype(np.int64) * self.n_items + self.items[order]
        known, last = np.unique(keys[::-1], return_index=True)
        at_s = self.at_s[order][::-1][last]
        rows = np.repeat(np.arange(self.n_listeners), np.diff(table.indptr))
        wanted = rows.astype(np.int64) * self.n_items + table.indices
        return Histories(table, at_s[np.searchsorted(known, wanted)])

    def table(self) -> sparse.csr_array:
        """Return listeners by items, of the sums `W`: ``sign(W) log(1 + |W|)``."""
        shape = (self.n_listeners, self.n_items)
        sums = sparse.csr_array((self.weights, (self.listeners, self.items)), shape)
        sums.sum_duplicates()
        sums.sort_indices()
        sums.data = np.sign(sums.data) * np.log1p(np.abs(sums.data))
        sums.eliminate_zeros()
        return sums


def positive(table: sparse.csr_array) -> sparse.csr_array:
    """Return what speaks for items, and nothing else."""
    kept = table.copy()
    kept.data = np.maximum(kept.data, 0.0)
    kept.eliminate_zeros()
    return kept
