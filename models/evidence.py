"""A listener's listens as columns: which tracks, how much each says, and when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from models.listens import Listen
from segue.settings import TasteSettings
from segue.track_index import TrackIndex

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Evidence:
    """Listens to tracks of the index; `n` of them.

    Attributes
    ----------
    track_ids : list of str
    vectors : ndarray, float64, shape (n, n_dims)
        Unit rows.
    weights : ndarray, float64, shape (n,)
        What each says.
    listened_at : list of datetime
    """

    track_ids: list[str]
    vectors: Floats
    weights: Floats
    listened_at: list[datetime]

    def pick(self, places: NDArray[np.intp]) -> "Evidence":
        """Return the listens at these places."""
        chosen = places.tolist()
        return Evidence(
            [self.track_ids[i] for i in chosen],
            self.vectors[places],
            self.weights[places],
            [self.listened_at[i] for i in chosen],
        )

    def weighing(self, weights: Floats) -> "Evidence":
        """Return the same listens with other weights."""
        return Evidence(self.track_ids, self.vectors, weights, self.listened_at)


def evidence_of(listens: Sequence[Listen], index: TrackIndex) -> Evidence:
    """Return the listens whose tracks are in the index."""
    known = [listen for listen in listens if listen.track_id in index.row_of]
    rows = [index.row_of[listen.track_id] for listen in known]
    return Evidence(
        [listen.track_id for listen in known],
        index.vectors[rows].astype(np.float64),
        np.array([listen.weight for listen in known]),
        [listen.listened_at for listen in known],
    )


def joined(first: Evidence, second: Evidence) -> Evidence:
    """Return the listens of both."""
    return Evidence(
        [*first.track_ids, *second.track_ids],
        np.concatenate([first.vectors, second.vectors]),
        np.concatenate([first.weights, second.weights]),
        [*first.listened_at, *second.listened_at],
    )


def faded_by_listens(evidence: Evidence, half_life: float) -> Floats:
    """Return by what each listen, by time, fades for `half_life` of later plays.

    What was heard after it has its weight, and what was skipped none.
    """
    heard = np.maximum(evidence.weights, 0.0)
    later = heard.sum() - np.cumsum(heard)
    return np.asarray(0.5 ** (later / half_life))


def weights_now_and_today(
    evidence: Evidence, as_of: datetime, settings: TasteSettings
) -> tuple[Floats, Floats]:
    """Return what listens, by time, none after `as_of`, say in `now` and in `today`."""
    weights, ages_s = evidence.weights, _ages_s(evidence, as_of)
    half_life_s, negative_s = settings.half_life_s, settings.negative_half_life_s
    now = _faded(weights, ages_s, half_life_s, negative_s)
    now *= faded_by_listens(evidence, settings.now_half_life_listens)
    today_s = settings.today_half_life_s
    faster_s = today_s * negative_s / half_life_s
    return now, _faded(weights, ages_s, today_s, faster_s)


def _ages_s(evidence: Evidence, as_of: datetime) -> Floats:
    ages_s = [(as_of - at).total_seconds() for at in evidence.listened_at]
    return np.array(ages_s, dtype=np.float64)


def _faded(
    weights: Floats, ages_s: Floats, half_life_s: float, negative_half_life_s: float
) -> Floats:
    half_lives_s = np.where(weights > 0, half_life_s, negative_half_life_s)
    return np.asarray(weights * 0.5 ** (ages_s / half_lives_s))
