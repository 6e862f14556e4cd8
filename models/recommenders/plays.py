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
    last_s : csr_array, int64, of the same shape
        When each item was heard last, in seconds since 1970, from 1 on. It has an entry
        for each that was heard, those that say nothing, too.
    """

    table: sparse.csr_array
    last_s: sparse.csr_array

    def pick(self, rows: NDArray[np.intp]) -> "Histories":
        """Return those of some listeners."""
        return Histories(self.table[rows], self.last_s[rows])

    def over_heaviest(self) -> "Histories":
        """Return the same with each listener's weights over the greatest amount."""
        greatest = np.abs(self.table).max(axis=1).toarray().ravel()
        scaled = self.table.multiply(1 / np.where(greatest > 0, greatest, 1.0)[:, None])
        return Histories(sparse.csr_array(scaled), self.last_s)


@dataclass(frozen=True, eq=False)
class Plays:
    """Plays of items by listeners; `n` of them.

    Attributes
    ----------
    listeners, items : ndarray, int32, shape (n,)
        Numbers from 0.
    weights : ndarray, float64, shape (n,)
        What each says: 0 nothing, below 0 against.
    at_s : ndarray, int64, shape (n,)
        Seconds since 1970; all 0 where no times are known.
    is_play : ndarray, bool, shape (n,), optional
        Of others something was said, as by a like; None where all were played.
    """

    listeners: NDArray[np.int32]
    items: NDArray[np.int32]
    weights: Floats
    at_s: NDArray[np.int64]
    n_listeners: int
    n_items: int
    is_play: NDArray[np.bool_] | None = None

    def pick(self, chosen: NDArray[np.bool_]) -> "Plays":
        """Return the chosen plays, of as many listeners and items."""
        return self.take(np.flatnonzero(chosen))

    def take(self, places: NDArray[np.intp]) -> "Plays":
        """Return the plays at some places, in that order."""
        return Plays(
            self.listeners[places],
            self.items[places],
            self.weights[places],
            self.at_s[places],
            self.n_listeners,
            self.n_items,
            None if self.is_play is None else self.is_play[places],
        )

    def heard_out(self) -> "Plays":
        """Return the plays that say something for an item, by listener and time."""
        is_one = self.weights > 0
        if self.is_play is not None:
            is_one &= self.is_play
        heard = self.pick(is_one)
        return heard.take(np.lexsort((heard.items, heard.at_s, heard.listeners)))

    def histories(self) -> "Histories":
        """Return what each listener heard, and when last."""
        said = np.zeros(len(self.at_s)) if self.is_play is None else ~self.is_play
        # what was played and then liked was heard when it was played
        order = np.lexsort((-self.at_s, said))
        keys = self.listeners[order].astype(np.int64) * self.n_items + self.items[order]
        known, first = np.unique(keys, return_index=True)
        last_s = np.maximum(self.at_s[order][first], 1)
        at = (known // self.n_items, known % self.n_items)
        shape = (self.n_listeners, self.n_items)
        return Histories(self.table(), sparse.csr_array((last_s, at), shape))

    def table(self) -> sparse.csr_array:
        """Return listeners by items, of what they say together, `tamed`."""
        shape = (self.n_listeners, self.n_items)
        sums = sparse.csr_array((self.weights, (self.listeners, self.items)), shape)
        sums.sum_duplicates()
        sums.sort_indices()
        sums.data = tamed(sums.data)
        sums.eliminate_zeros()
        return sums


def tamed(weights: Floats) -> Floats:
    """Return ``sign(w) log(1 + |w|)``: the tenth play says less than the second."""
    return np.asarray(np.sign(weights) * np.log1p(np.abs(weights)))


def positive(table: sparse.csr_array) -> sparse.csr_array:
    """Return what speaks for items, and nothing else."""
    kept = table.copy()
    kept.data = np.maximum(kept.data, 0.0)
    kept.eliminate_zeros()
    return kept
