"""Tracks that the same listeners play: neighbours, and how they vote.

Likeness of two tracks is the cosine of their columns in the table of listeners by
tracks, whose weights are first tamed by BM25: the twentieth play of a track says less
than the second, and who plays everything says less about each. (Its third factor, how
rare a track is, would be the same for a whole column, and have no part in a cosine.)
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from segue.trained_model import Neighbours

_K1: Final = 1.2
_B: Final = 0.75
_BLOCK: Final = 512
_DECIMALS: Final = 9

Rows = NDArray[np.int32]
Floats = NDArray[np.float64]


def bm25_units(plays: sparse.csr_array) -> sparse.csc_array:
    """Return plays, listeners by tracks, as columns of unit length after BM25.

    Parameters
    ----------
    plays : csr_array, shape (n_listeners, n_tracks)
        What speaks for each track; greater than 0, sums of duplicates.
    """
    plays = plays.astype(np.float64)
    lengths = np.asarray(plays.sum(axis=1)).ravel()
    mean = lengths.mean() if lengths.size and lengths.sum() else 1.0
    of_row = np.repeat(np.arange(len(lengths)), np.diff(plays.indptr))
    norm = _K1 * (1 - _B + _B * lengths[of_row] / mean)
    data = plays.data * (_K1 + 1) / (plays.data + norm)
    tamed = sparse.csr_array((data, plays.indices, plays.indptr), plays.shape).tocsc()
    squares = np.asarray(tamed.multiply(tamed).sum(axis=0)).ravel()
    of_column = np.repeat(np.arange(plays.shape[1]), np.diff(tamed.indptr))
    tamed.data /= np.sqrt(squares[of_column])
    return tamed


def find_neighbours(
    units: sparse.csc_array, n_neighbours: int, first: int = 0, last: int | None = None
) -> Neighbours:
    """Return the neighbours of tracks `first` to `last`, among all.

    Parameters
    ----------
    units : csc_array, shape (n_listeners, n_tracks)
        As `bm25_units` returns it.

    Notes
    -----
    Equally near ones stand in the order of their rows.
    """
    end = units.shape[1] if last is None else last
    rows = np.full((end - first, n_neighbours), -1, dtype=np.int32)
    likeness = np.zeros((end - first, n_neighbours), dtype=np.float32)
    for begin, block in _blocks(units, first, end):
        for place in range(block.shape[0]):
            span = slice(block.indptr[place], block.indptr[place + 1])
            near, cosines = _nearest(
                block.indices[span], block.data[span], begin + place, n_neighbours
            )
            rows[begin + place - first, : len(near)] = near
            likeness[begin + place - first, : len(near)] = cosines
    return Neighbours(rows, likeness)


def _nearest(near: Rows, cosines: Floats, row: int, n: int) -> tuple[Rows, Floats]:
    """Return the `n` nearest of the others, nearest first."""
    others = near != row
    near, cosines = near[others], np.minimum(cosines[others].round(_DECIMALS), 1.0)
    if len(near) > n:
        is_near = cosines >= np.partition(cosines, -n)[-n]
        near, cosines = near[is_near], cosines[is_near]
    order = np.lexsort((near, -cosines))[:n]
    return near[order], cosines[order]


def _blocks(
    units: sparse.csc_array, first: int, end: int
) -> Iterator[tuple[int, sparse.csr_array]]:
    rows = units.tocsr()
    for begin in range(first, end, _BLOCK):
        columns = units[:, begin : min(begin + _BLOCK, end)]
        yield begin, (columns.T.tocsr() @ rows).tocsr()


class Voting(NamedTuple):
    """What was heard votes for its neighbours.

    Attributes
    ----------
    table : Neighbours
    heard : ndarray, int32
        Distinct rows.
    weights : ndarray, float64
        How much each has to say.
    rows : ndarray, int32
        Those that are voted for, ascending.
    votes : ndarray, float64
        The sum of their likeness to each of `heard` times the weight there, over the
        sum of the weights' amounts: from -1 to 1.
    """

    table: Neighbours
    heard: Rows
    weights: Floats
    rows: Rows
    votes: Floats

    def for_rows(self, wanted: Rows) -> Floats:
        """Return the votes for each of some tracks, 0 where nobody votes."""
        if not len(self.rows):
            return np.zeros(len(wanted))
        at = np.minimum(np.searchsorted(self.rows, wanted), len(self.rows) - 1)
        return np.where(self.rows[at] == wanted, self.votes[at], 0.0)

    def best(self, n: int, excluded: Rows) -> Rows:
        """Return the `n` others that have most votes, of those that have any."""
        may_be = (self.votes > 0) & ~np.isin(self.rows, excluded)
        rows, votes = self.rows[may_be], self.votes[may_be]
        return rows[np.argsort(-votes.round(_DECIMALS), kind="stable")[:n]]

    def speakers(self, wanted: Rows) -> NDArray[np.int32]:
        """Return for each of some tracks which of `heard` votes most; -1 for none."""
        near = self.table.rows[self.heard]
        says = self.table.likeness[self.heard] * self.weights[:, None]
        best = np.full(len(wanted), -1, dtype=np.int32)
        most = np.zeros(len(wanted))
        for heard, row, word in zip(self.heard, near, says, strict=True):
            order = np.argsort(row, kind="stable")
            at = np.minimum(np.searchsorted(row, wanted, sorter=order), len(row) - 1)
            found = row[order[at]] == wanted
            said = np.where(found, word[order[at]], 0.0)
            is_more = said.round(_DECIMALS) > most.round(_DECIMALS)
            best[is_more], most[is_more] = heard, said[is_more]
        return best


def vote(table: Neighbours, heard: Rows, weights: Floats) -> Voting:
    """Return the votes of what was heard."""
    near = table.rows[heard]
    says = table.likeness[heard] * weights[:, None]
    is_there = near >= 0
    found, of = np.unique(near[is_there], return_inverse=True)
    total = float(np.abs(weights).sum())
    votes = np.bincount(of.ravel(), says[is_there], len(found)) / (total or 1.0)
    return Voting(table, heard, weights, found.astype(np.int32), votes)
