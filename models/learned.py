"""What was learned from all listeners, in the rows of a track index.

Two parts of a list come from it: `collaborative`, how much the listener's factors and a
track's agree, and `neighbours`, how much what was heard is played together with it. A
listener's weights are those of this moment, so both turn with each play and skip.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.evidence import Evidence
from models.factors import Factors, fold_in, gram_of
from models.neighbours import Neighbours, votes_of
from segue.track_index import TrackIndex
from segue.trained_model import TrainedModel

_MOST_HEARD: Final = 64
DECIMALS: Final = 9

Rows = NDArray[np.int32]
Floats = NDArray[np.float64]


class Blend(NamedTuple):
    """The share of each part in a score; what is left is that of the taste."""

    collaborative: float
    neighbours: float


NO_BLEND: Final = Blend(0.0, 0.0)


@dataclass(frozen=True, eq=False)
class Learned:
    """A trained model in the rows of an index; tracks that it lacks have no part."""

    version: str
    factors: Factors
    neighbours: Neighbours
    blend: Blend


class Opinion(NamedTuple):
    """What the others say for one listener.

    Attributes
    ----------
    learned : Learned
        Where they say it.
    heard : ndarray, int32
        Distinct rows that were heard and are known to the model.
    weights : ndarray, float64
        What each says; the heaviest has the amount 1.
    factors : ndarray, float64, shape (n_factors,)
        The listener's.
    rows, votes : ndarray
        What is played together with it, ascending, and how much.
    """

    learned: Learned
    heard: Rows
    weights: Floats
    factors: Floats
    rows: Rows
    votes: Floats

    @property
    def says_something(self) -> bool:
        """Whether it speaks for any track."""
        return bool(self.factors.any() or (self.votes > 0).any())


@lru_cache(maxsize=1)
def learned_for(model: TrainedModel, index: TrackIndex) -> Learned:
    """Return a model in the rows of `index`; each process does it once."""
    place_of = {track_id: at for at, track_id in enumerate(model.track_ids)}
    places = np.array([place_of.get(name, -1) for name in index.track_ids], np.intp)
    rows = np.array([index.row_of.get(name, -1) for name in model.track_ids], np.int32)
    is_known = places >= 0
    factors = Factors(
        np.where(is_known[:, None], model.factors[places], np.float32(0)),
        gram_of(model.factors),
        model.confidence,
        model.regularization,
    )
    near = np.where(is_known[:, None], model.neighbours[places], np.int32(-1))
    is_near = near >= 0
    near = np.where(is_near, rows[near], np.int32(-1))
    likeness = np.where(near >= 0, model.likeness[places], np.float32(0))
    blend = Blend(**model.blend)
    return Learned(model.version, factors, Neighbours(near, likeness), blend)


def opinion_of(learned: Learned, evidence: Evidence, index: TrackIndex) -> Opinion:
    """Return what others say for who heard this, the heaviest 64 tracks of it."""
    rows, weights = _heard(learned, evidence, index)
    return Opinion(
        learned,
        rows,
        weights,
        fold_in(learned.factors, rows, weights),
        *votes_of(learned.neighbours, rows, weights),
    )


def _heard(
    learned: Learned, evidence: Evidence, index: TrackIndex
) -> tuple[Rows, Floats]:
    said = np.array([index.row_of[name] for name in evidence.track_ids], dtype=np.int32)
    rows, of = np.unique(said, return_inverse=True)
    weights = np.bincount(of.ravel(), evidence.weights, len(rows))
    is_known = learned.factors.vectors[rows].any(axis=1)
    is_known |= (learned.neighbours.rows[rows] >= 0).any(axis=1)
    rows, weights = rows[is_known], weights[is_known]
    amounts = np.abs(weights).round(DECIMALS)
    heaviest = np.sort(np.lexsort((rows, -amounts))[:_MOST_HEARD])
    rows, weights = rows[heaviest], weights[heaviest]
    return rows.astype(np.int32), weights / (np.abs(weights).max(initial=0.0) or 1.0)
