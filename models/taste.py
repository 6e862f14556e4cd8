"""A taste: what attracts and what repels a listener, as points of the taste space.

Both are kept apart (Rocchio), because the repelling part fades faster.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.listens import Listen

# one listen of full weight pulls half as hard as any number of them can
EVIDENCE_HALF: Final = 1.0


@dataclass(frozen=True)
class Side:
    """The attracting or the repelling part of a taste.

    Attributes
    ----------
    mean : ndarray, float64, shape (n_dims,)
        Weighted mean of the tracks' unit vectors; zero where there is none.
    weight : float
        Sum of the (faded) weights, 0 or more.
    """

    mean: NDArray[np.float64]
    weight: float

    @property
    def pull(self) -> float:
        """How much the evidence counts, in [0, 1): `weight / (weight + 1)`."""
        return self.weight / (self.weight + EVIDENCE_HALF)


@dataclass(frozen=True)
class Taste:
    """What attracts and what repels a listener, in the taste space."""

    positive: Side
    negative: Side


def no_taste(n_dims: int) -> Taste:
    """Return the taste of somebody of whom nothing is known."""
    nothing = Side(np.zeros(n_dims), 0.0)
    return Taste(nothing, nothing)


def taste_of(
    listens: Iterable[Listen],
    row_of: Mapping[str, int],
    vectors: NDArray[np.float32],
) -> Taste:
    """Return the weighted means of what was heard and of what was skipped.

    Parameters
    ----------
    listens : iterable of Listen
        Listens to tracks that are not in `row_of` are passed over.
    row_of : mapping
        Row of each track in `vectors`.
    vectors : ndarray, float32, shape (n_tracks, n_dims)
        Unit rows of the taste space.
    """
    known = [listen for listen in listens if listen.track_id in row_of]
    if not known:
        return no_taste(vectors.shape[1])
    rows = vectors[[row_of[listen.track_id] for listen in known]].astype(np.float64)
    weights = np.array([listen.weight for listen in known])
    return taste_from(np.maximum(weights, 0.0), np.maximum(-weights, 0.0), rows)


def taste_from(
    positive: NDArray[np.float64],
    negative: NDArray[np.float64],
    rows: NDArray[np.float64],
) -> Taste:
    """Return the taste of rows that each speak for and against by so much.

    Parameters
    ----------
    positive, negative : ndarray, float64, shape (n,)
        0 or more.
    rows : ndarray, float64, shape (n, n_dims)
    """
    return Taste(_side(positive, rows), _side(negative, rows))


def together(tastes: Sequence[Taste]) -> Taste:
    """Return one taste out of one or more, as if of all their listens."""
    return Taste(
        _joined([taste.positive for taste in tastes]),
        _joined([taste.negative for taste in tastes]),
    )


def _joined(sides: Sequence[Side]) -> Side:
    speaking = [side for side in sides if side.weight]
    if len(speaking) <= 1:
        return speaking[0] if speaking else sides[0]
    weights = np.array([side.weight for side in speaking])
    return _side(weights, np.stack([side.mean for side in speaking]))


def _side(weights: NDArray[np.float64], rows: NDArray[np.float64]) -> Side:
    total = float(weights.sum())
    if total == 0.0:
        return Side(np.zeros(rows.shape[1]), 0.0)
    return Side(weights @ rows / total, total)
