"""What was learned from all listeners, in the rows of a track index.

Three parts of a list come from it: `collaborative`, how much the listener's factors and
a track's agree, `neighbours`, how much what was heard is played together with it, and
`followers`, how often it is played next after what was heard last. A listener's weights
are those of this moment, so all turn with each play and skip.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.evidence import Evidence
from models.factors import Factors, fold_in, gram_of
from models.followers import recency
from models.neighbours import Voting, vote
from segue.track_index import TrackIndex
from segue.trained_model import Neighbours, TrainedModel

_MOST_HEARD: Final = 64
DECIMALS: Final = 9

Rows = NDArray[np.int32]
Floats = NDArray[np.float64]


class Blend(NamedTuple):
    """The share of each part in a score; what is left is that of the taste."""

    collaborative: float
    neighbours: float
    followers: float


NO_BLEND: Final = Blend(0.0, 0.0, 0.0)


@dataclass(frozen=True, eq=False)
class Learned:
    """A trained model in the rows of an index; tracks that it lacks have no part."""

    version: str
    factors: Factors
    neighbours: Neighbours
    followers: Neighbours
    blend: Blend

    def knows(self, rows: Rows) -> NDArray[np.bool_]:
        """Return which tracks it has anything to say of."""
        has_factors = self.factors.vectors[rows].any(axis=1)
        has_near = (self.neighbours.rows[rows] >= 0).any(axis=1)
        has_next = (self.followers.rows[rows] >= 0).any(axis=1)
        return np.asarray(has_factors | has_near | has_next)


class Opinion(NamedTuple):
    """What the others say for one listener.

    Attributes
    ----------
    learned : Learned
        Where they say it.
    factors : ndarray, float64, shape (n_factors,)
        The listener's.
    neighbours : Voting
        What is played together with what was heard.
    followers : Voting
        What is played next after what was heard last.
    """

    learned: Learned
    factors: Floats
    neighbours: Voting
    followers: Voting

    @property
    def votings(self) -> tuple[Voting, Voting]:
        """Those of neighbours and of followers."""
        return self.neighbours, self.followers

    @property
    def says_something(self) -> bool:
        """Whether it speaks for any track."""
        has_votes = any((each.votes > 0).any() for each in self.votings)
        return bool(self.factors.any()) or has_votes


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
    neighbours, followers = (
        _in_rows(each, rows, places, is_known)
        for each in (model.neighbours, model.followers)
    )
    blend = Blend(**model.blend)
    return Learned(model.version, factors, neighbours, followers, blend)


def _in_rows(
    table: Neighbours, rows: Rows, places: NDArray[np.intp], is_known: NDArray[np.bool_]
) -> Neighbours:
    near = np.where(is_known[:, None], table.rows[places], np.int32(-1))
    is_near = near >= 0
    near = np.where(is_near, rows[near], np.int32(-1))
    likeness = np.where(near >= 0, table.likeness[places], np.float32(0))
    return Neighbours(near, likeness)


def opinion_of(
    learned: Learned, evidence: Evidence, session: Sequence[str], index: TrackIndex
) -> Opinion:
    """Return what others say for who heard this, the heaviest 64 tracks of it.

    Parameters
    ----------
    session : sequence of str
        What was heard last in the session that lasts, the last first.
    """
    said = np.array([index.row_of[name] for name in evidence.track_ids], dtype=np.int32)
    rows, weights = _heaviest(learned, said, evidence.weights)
    of_session = [index.row_of[name] for name in session if name in index.row_of]
    last = np.array(of_session, dtype=np.int32)
    return Opinion(
        learned,
        fold_in(learned.factors, rows, weights),
        vote(learned.neighbours, rows, weights),
        vote(learned.followers, last, recency(len(last))),
    )


def _heaviest(learned: Learned, said: Rows, weights: Floats) -> tuple[Rows, Floats]:
    """Return distinct rows that are known, and what each says over the greatest."""
    rows, of = np.unique(said, return_inverse=True)
    sums = np.bincount(of.ravel(), weights, len(rows))
    is_known = learned.knows(rows)
    rows, sums = rows[is_known], sums[is_known]
    amounts = np.abs(sums).round(DECIMALS)
    heaviest = np.sort(np.lexsort((rows, -amounts))[:_MOST_HEARD])
    rows, sums = rows[heaviest], sums[heaviest]
    return rows.astype(np.int32), sums / (np.abs(sums).max(initial=0.0) or 1.0)
