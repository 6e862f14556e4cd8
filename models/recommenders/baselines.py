"""Honest baselines: what every method has to beat."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.recommenders.plays import Histories, Plays, positive

_ANY: Final = 1_000.0

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Random:
    """Any order, the same for the same seed and history."""

    n_items: int
    seed: int = 0
    name: str = "random"

    def scores(self, histories: Histories) -> Floats:
        """As `Recommender.scores`."""
        table = histories.table
        bounds = zip(table.indptr[:-1], table.indptr[1:], strict=True)
        lines = [
            np.random.default_rng([self.seed, *table.indices[a:b].tolist()])
            for a, b in bounds
        ]
        drawn = [line.random(self.n_items) for line in lines]
        return np.array(drawn).reshape(len(lines), self.n_items)


@dataclass(frozen=True, eq=False)
class Popular:
    """The same for all: what many listeners like.

    Attributes
    ----------
    strength : ndarray, float64, shape (n_items,)
    """

    strength: Floats
    name: str = "popular"

    def scores(self, histories: Histories) -> Floats:
        """As `Recommender.scores`."""
        return np.tile(self.strength, (histories.table.shape[0], 1))


def fit_popular(plays: Plays) -> Popular:
    """Return how many listeners like each item, of all times."""
    table = positive(plays.table())
    counts = np.bincount(table.indices, minlength=plays.n_items)
    return Popular(counts.astype(np.float64))


def fit_trending(plays: Plays, half_life_s: float) -> Popular:
    """Return what is played most of late: a play fades with its age."""
    liked = plays.pick(plays.weights > 0)
    newest_s = liked.at_s.max(initial=0)
    faded: Floats = 0.5 ** ((newest_s - liked.at_s) / half_life_s)
    strength = np.bincount(liked.items, faded, minlength=plays.n_items)
    return Popular(np.asarray(strength, dtype=np.float64), "trending")


@dataclass(frozen=True, eq=False)
class LastHeard:
    """What the listener heard before, the last first; nothing that is new.

    Where no times are known: what was heard most.
    """

    name: str = "last heard"

    def scores(self, histories: Histories) -> Floats:
        """As `Recommender.scores`."""
        liked = np.maximum(histories.table.toarray(), 0.0)
        # a second of 1970 or later outweighs any number of plays
        return np.where(liked > 0, histories.last_s.toarray() * _ANY + liked, 0.0)
