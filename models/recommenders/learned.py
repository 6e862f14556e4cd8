"""Methods that learn from who plays what."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from models.factors import Factors, fold_in, gram_of
from models.neighbours import bm25_units, find_neighbours
from models.recommenders.plays import Histories, Plays, positive
from segue.trained_model import Neighbours

Floats = NDArray[np.float64]
FactorTrainer = Callable[[sparse.csr_array], NDArray[np.float32]]
"""Takes what `Plays.table` returns, and returns the factors of each item."""


@dataclass(frozen=True, eq=False)
class Collaborative:
    """Implicit factors of items; a listener is folded in."""

    factors: Factors
    name: str = "collaborative"

    def scores(self, histories: Histories) -> Floats:
        """As `Recommender.scores`."""
        mine = [fold_in(self.factors, *line) for line in _lines(histories.table)]
        listeners = np.array(mine).reshape(-1, self.factors.vectors.shape[1])
        return np.asarray(listeners @ self.factors.vectors.astype(np.float64).T)


def fit_collaborative(
    plays: Plays, train: FactorTrainer, confidence: float, regularization: float
) -> Collaborative:
    """Return the method with factors that `train` finds."""
    items = train(plays.table())
    return Collaborative(Factors(items, gram_of(items), confidence, regularization))


@dataclass(frozen=True, eq=False)
class ItemNeighbours:
    """Items that the same listeners play vote for each other.

    Attributes
    ----------
    likeness : csr_array, shape (n_items, n_items)
        Row by row the likeness of an item to its neighbours.
    """

    likeness: sparse.csr_array
    name: str = "neighbours"

    def scores(self, histories: Histories) -> Floats:
        """As `Recommender.scores`."""
        return np.asarray((histories.table @ self.likeness).toarray())


def fit_neighbours(plays: Plays, n_neighbours: int) -> ItemNeighbours:
    """Return the method with the nearest neighbours of each item."""
    n_kept = max(1, min(n_neighbours, plays.n_items - 1))
    units = bm25_units(positive(plays.table()))
    return ItemNeighbours(table_of(find_neighbours(units, n_kept)))


def table_of(neighbours: Neighbours) -> sparse.csr_array:
    """Return items by items, row by row the likeness to the neighbours."""
    n_items, _ = neighbours.rows.shape
    rows, places = np.nonzero(neighbours.rows >= 0)
    at = (rows, neighbours.rows[rows, places])
    says = neighbours.likeness[rows, places].astype(np.float64)
    return sparse.csr_array((says, at), (n_items, n_items))


@dataclass(frozen=True, eq=False)
class ListenerNeighbours:
    """Listeners alike vote for what they play.

    Attributes
    ----------
    units : csr_array, shape (n_listeners, n_items)
        Rows of unit length.
    """

    units: sparse.csr_array
    n_neighbours: int
    name: str = "listeners alike"

    def scores(self, histories: Histories) -> Floats:
        """As `Recommender.scores`."""
        alike = (unit_rows(positive(histories.table)) @ self.units.T).toarray()
        k = min(self.n_neighbours, alike.shape[1])
        least = np.partition(alike, alike.shape[1] - k, axis=1)[:, -k:][:, :1]
        alike[alike < least] = 0.0
        return np.asarray((sparse.csr_array(alike) @ self.units).toarray())


def fit_listener_neighbours(plays: Plays, n_neighbours: int) -> ListenerNeighbours:
    """Return the method with all listeners' plays."""
    return ListenerNeighbours(unit_rows(positive(plays.table())), n_neighbours)


def unit_rows(table: sparse.csr_array) -> sparse.csr_array:
    """Return the same with rows of unit length, but for those of zeros."""
    lengths = np.sqrt(np.asarray(table.multiply(table).sum(axis=1)).ravel())
    return sparse.csr_array(
        table.multiply(1 / np.where(lengths > 0, lengths, 1.0)[:, None])
    )


@dataclass(frozen=True, eq=False)
class Ease:
    """A linear autoencoder without a diagonal, in closed form.

    Steck: Embarrassingly Shallow Autoencoders for Sparse Data, 2019.

    Attributes
    ----------
    weights : ndarray, float64, shape (n_items, n_items)
    """

    weights: Floats
    name: str = "ease"

    def scores(self, histories: Histories) -> Floats:
        """As `Recommender.scores`."""
        return np.asarray(positive(histories.table) @ self.weights)


def fit_ease(plays: Plays, regularization: float) -> Ease:
    """Return the method; time grows with the third power of the number of items."""
    table = positive(plays.table())
    gram = (table.T @ table).toarray()
    gram[np.diag_indices_from(gram)] += regularization
    inverse = np.linalg.inv(gram)
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0.0)
    return Ease(weights)


def _lines(
    histories: sparse.csr_array,
) -> list[tuple[NDArray[np.int32], Floats]]:
    bounds = zip(histories.indptr[:-1], histories.indptr[1:], strict=True)
    return [
        (histories.indices[a:b].astype(np.int32), histories.data[a:b])
        for a, b in bounds
    ]
