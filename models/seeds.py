"""Seed tracks: a few tracks that were really heard and stand for all that was.

One mean of all lies between a listener's kinds of music, where nobody plays; seeds lie
in their midst. They are medoids, chosen one after the other so that what was heard is
as near as possible to one of them.
"""

from datetime import datetime
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.evidence import Evidence

_MOST_LISTENS: Final = 64
_LEAST_SHARE: Final = 0.15
_DECIMALS: Final = 9


class Seed(NamedTuple):
    """A track that votes; `share` of what was heard is nearest to it."""

    track_id: str
    share: float
    listened_at: datetime


def seeds_of(evidence: Evidence, n_seeds: int) -> list[Seed]:
    """Return at most `n_seeds` medoids of what speaks for a list, largest share first.

    Parameters
    ----------
    evidence : Evidence
        With its weight in the list. The 64 heaviest count.

    Notes
    -----
    Greedy choice of medoids that least leave the weighted sum of the cosines with the
    nearest of them; who stands for less than 15 % does not vote.
    """
    order = np.argsort(-evidence.weights.round(_DECIMALS), kind="stable")
    heard = evidence.pick(
        order[:_MOST_LISTENS][evidence.weights[order[:_MOST_LISTENS]] > 0]
    )
    if not heard.track_ids or not n_seeds:
        return []
    cosines = (heard.vectors @ heard.vectors.T).round(_DECIMALS)
    chosen = _medoids(cosines, heard, n_seeds)
    owner = np.argmax(cosines[:, chosen], axis=1)
    shares = np.bincount(owner, heard.weights, len(chosen)) / heard.weights.sum()
    seeds = [
        Seed(heard.track_ids[i], float(share), heard.listened_at[i])
        for i, share in zip(chosen, shares, strict=True)
        if share >= _LEAST_SHARE
    ]
    return sorted(seeds, key=lambda seed: (-seed.share, seed.track_id))


def _medoids(cosines: NDArray[np.float64], heard: Evidence, n: int) -> list[int]:
    chosen = list[int]()
    nearest = np.full(len(cosines), -1.0)
    while len(chosen) < n:
        gain = heard.weights @ np.maximum(cosines, nearest[:, None])
        best = int(np.argmax(gain.round(_DECIMALS)))
        if heard.track_ids[best] in {heard.track_ids[i] for i in chosen}:
            break
        chosen.append(best)
        nearest = np.maximum(nearest, cosines[:, best])
    return chosen
