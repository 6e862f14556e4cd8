"""Seed tracks: a few tracks that were really heard and stand for all that was.

One mean of all lies between a listener's kinds of music, where nobody plays; seeds lie
in their midst. They are medoids, chosen one after the other so that what was heard is
as near as possible to one of them.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

import numpy as np

from models.listens import Listen
from segue.track_index import TrackIndex

_MOST_LISTENS: Final = 64
_LEAST_SHARE: Final = 0.15
_DECIMALS: Final = 9


class Seed(NamedTuple):
    """A track that votes; `share` of what was heard is nearest to it."""

    track_id: str
    share: float
    listened_at: datetime


def seeds_of(evidence: Sequence[Listen], n_seeds: int, index: TrackIndex) -> list[Seed]:
    """Return at most `n_seeds` medoids of what speaks for a list, largest share first.

    Parameters
    ----------
    evidence : sequence of Listen
        With its weight in the list. The 64 heaviest count.

    Notes
    -----
    Greedy choice of medoids that least leave the weighted sum of the cosines with the
    nearest of them; who stands for less than 15 % does not vote.
    """
    heard = [x for x in evidence if x.weight > 0 and x.track_id in index.row_of]
    heard.sort(key=lambda x: (-x.weight, x.listened_at, x.track_id))
    heard = heard[:_MOST_LISTENS]
    if not heard or not n_seeds:
        return []
    rows = index.vectors[[index.row_of[x.track_id] for x in heard]].astype(np.float64)
    weights = np.array([x.weight for x in heard])
    cosines = rows @ rows.T
    chosen = list[int]()
    nearest = np.full(len(heard), -1.0)
    while len(chosen) < n_seeds:
        gain = weights @ np.maximum(cosines, nearest[:, None])
        best = int(np.argmax(gain.round(_DECIMALS)))
        if best in chosen or heard[best].track_id in {
            heard[i].track_id for i in chosen
        }:
            break
        chosen.append(best)
        nearest = np.maximum(nearest, cosines[:, best])
    owner = np.argmax(cosines[:, chosen].round(_DECIMALS), axis=1)
    total = float(weights.sum())
    shares = [
        float(weights[owner == place].sum()) / total for place in range(len(chosen))
    ]
    seeds = [
        Seed(heard[i].track_id, share, heard[i].listened_at)
        for i, share in zip(chosen, shares, strict=True)
        if share >= _LEAST_SHARE
    ]
    return sorted(seeds, key=lambda seed: (-seed.share, seed.track_id))
