"""Simulated listeners: what each likes, and when that changes.

A taste is a few regions of the taste space, each around one track. At known instants it
turns to others: at once (a jump), or over some time (a drift). Nobody knows this but
the simulator, so what the stream makes of the plays can be judged.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]
Vectors = NDArray[np.float32]

_N_REGIONS: Final = 2
_N_CHANGES: Final = 8
_P_JUMP: Final = 0.5
# a drift takes up to this share of the mean time between changes
_DRIFT_SHARE: Final = 0.3
# listeners differ: mean shares of what they choose and do, as parameters of beta laws
_FROM_LIST: Final = (7.0, 3.0)
_LOYALTY: Final = (2.0, 8.0)
_NOVELTY: Final = (1.0, 9.0)
_LIKES: Final = (1.5, 8.5)
_SHIFT_H: Final = 2.0


@dataclass(frozen=True)
class Crowd:
    """Listeners, and what only the simulator knows of them.

    Attributes
    ----------
    user_ids : list of str
        `n` of them.
    centres : ndarray, int64, shape (n, n_stages, n_regions)
        Rows of the tracks around which the regions lie.
    shares : ndarray, float64, shape (n, n_regions)
        How often each region is chosen from; rows add up to 1.
    change_s : ndarray, float64, shape (n, n_stages - 1)
        When the next stage begins, in seconds from the start, ascending.
    drift_s : ndarray, float64, shape (n, n_stages - 1)
        How long the change takes; 0 for a jump.
    from_list, loyalty, novelty, likes : ndarray, float64, shape (n,)
        Shares of plays that are chosen from the list that Segue makes; of others that
        stay with the artist of the last; that try anything; of plays heard out that are
        liked.
    shift_h : ndarray, float64, shape (n,)
        Hours by which their day lies behind others'.
    """

    user_ids: list[str]
    centres: Rows
    shares: Floats
    change_s: Floats
    drift_s: Floats
    from_list: Floats
    loyalty: Floats
    novelty: Floats
    likes: Floats
    shift_h: Floats

    def regions_at(self, who: Rows, at_s: Floats, vectors: Vectors) -> Vectors:
        """Return where the regions of some listeners lie at some instants.

        Parameters
        ----------
        who : ndarray, int64, shape (k,)
            Numbers of listeners.
        at_s : ndarray, float64, shape (k,)
            Seconds from the start.
        vectors : ndarray, float32, shape (n_tracks, n_dims)
            Unit rows of the taste space.

        Returns
        -------
        ndarray, float32, shape (k, n_regions, n_dims)
            Unit vectors.
        """
        if not self.change_s.shape[1]:
            always: Vectors = vectors[self.centres[who, 0]]
            return always
        stage = (self.change_s[who] <= at_s[:, None]).sum(axis=1)
        last = np.maximum(stage - 1, 0)
        since_s = at_s - self.change_s[who, last]
        drift_s = self.drift_s[who, last]
        with np.errstate(divide="ignore", invalid="ignore"):
            done = np.where(drift_s > 0, since_s / drift_s, 1.0)
        done = np.clip(np.where(stage == 0, 1.0, done), 0.0, 1.0)
        here: Vectors = vectors[self.centres[who, stage]]
        if not (done < 1.0).any():
            return here
        before = vectors[self.centres[who, last]]
        share = done[:, None, None].astype(np.float32)
        mixed: Vectors = before * (1 - share) + here * share
        length = np.linalg.norm(mixed, axis=2, keepdims=True)
        mixed /= np.maximum(length, np.finfo(np.float32).tiny)
        return mixed

    def closeness(
        self, who: Rows, at_s: Floats, rows: Rows, vectors: Vectors
    ) -> Vectors:
        """Return the cosine of tracks with the nearest region, shape (k,)."""
        regions = self.regions_at(who, at_s, vectors)
        cosines = np.einsum("krd,kd->kr", regions, vectors[rows])
        nearest: Vectors = cosines.max(axis=1)
        return nearest


def create_crowd(
    names: str,
    n: int,
    n_tracks: int,
    mean_change_s: float,
    rng: np.random.Generator,
) -> Crowd:
    """Return `n` listeners whose regions lie around tracks taken at random.

    Parameters
    ----------
    names : str
        What all their names begin with.
    mean_change_s : float
        Mean time between two changes of one listener's taste; infinite for none.
    """
    n_changes = _N_CHANGES if np.isfinite(mean_change_s) else 0
    size = (n, n_changes)
    change_s = np.cumsum(rng.exponential(mean_change_s, size), axis=1)
    drift_s = rng.uniform(0, _DRIFT_SHARE * mean_change_s, size) if n_changes else None
    return Crowd(
        user_ids=[f"{names}-{number:02d}" for number in range(1, n + 1)],
        centres=rng.integers(n_tracks, size=(n, n_changes + 1, _N_REGIONS)),
        shares=rng.dirichlet([2.0] * _N_REGIONS, size=n),
        change_s=change_s,
        drift_s=(
            change_s
            if drift_s is None
            else np.where(rng.random(size) < _P_JUMP, 0.0, drift_s)
        ),
        from_list=rng.beta(*_FROM_LIST, size=n),
        loyalty=rng.beta(*_LOYALTY, size=n),
        novelty=rng.beta(*_NOVELTY, size=n),
        likes=rng.beta(*_LIKES, size=n),
        shift_h=rng.normal(0.0, _SHIFT_H, size=n),
    )
