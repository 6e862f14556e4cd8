"""The order of a list: the best first, but not too much of the same.

Maximal marginal relevance (Carbonell and Goldstein 1998): each place goes to the track
whose score, less what its likeness to those above costs, is highest. Of an artist and
of an album there are at most so many, and of a recording one.
"""

from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from models.groups import Rows, TrackGroups


class Caps(NamedTuple):
    """Most tracks of one artist and of one album."""

    per_artist: int
    per_album: int


def choose(
    scores: NDArray[np.float64],
    vectors: NDArray[np.float64],
    rows: Rows,
    groups: TrackGroups,
    caps: Caps,
    variety: float,
    k: int,
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Choose at most `k` of the candidates.

    Parameters
    ----------
    scores : ndarray, float64, shape (n,)
        Descending; of equal values the first is taken.
    vectors : ndarray, float64, shape (n, n_dims)
        Unit rows.
    rows : ndarray, int32, shape (n,)
        Their rows in the index.
    variety : float
        What a cosine of 1 with a chosen track costs.

    Returns
    -------
    tuple of ndarray
        Places of the chosen, best first, and what likeness cost each, 0 or less.
    """
    cosines = vectors @ vectors.T
    numbers = np.stack(
        [each.numbers[rows] for each in (groups.artist, groups.album, groups.recording)]
    )
    most = np.array([caps.per_artist, caps.per_album, 1])
    places, costs = _chosen(scores, cosines, numbers, most, variety, k)
    return places, costs


@numba.njit(cache=True, nogil=True)
def _chosen(scores, cosines, numbers, most, variety, k):  # type: ignore[no-untyped-def]
    n = len(scores)
    is_out, cost = np.zeros(n, dtype=np.bool_), np.zeros(n)
    places, costs = np.empty(min(k, n), dtype=np.intp), np.empty(min(k, n))
    for n_chosen in range(len(places)):
        best = _best(scores, cost, is_out)
        if best < 0:
            return places[:n_chosen], costs[:n_chosen]
        places[n_chosen], costs[n_chosen] = best, cost[best]
        is_out[best] = True
        for kind in range(len(most)):
            _close_full(numbers[kind], best, places[: n_chosen + 1], most[kind], is_out)
        for i in range(n):
            cost[i] = min(cost[i], -variety * cosines[i, best])
    return places, costs


@numba.njit(cache=True, nogil=True)
def _best(scores, cost, is_out):  # type: ignore[no-untyped-def]
    best, near = -1, 1e-9
    for i in range(len(scores)):
        if not is_out[i] and (
            best < 0 or scores[i] + cost[i] > scores[best] + cost[best] + near
        ):
            best = i
    return best


@numba.njit(cache=True, nogil=True)
def _close_full(numbers, best, chosen, most, is_out):  # type: ignore[no-untyped-def]
    """Leave out the rest of the group of `best` when enough of it are chosen."""
    n_same = 0
    for place in chosen:
        n_same += numbers[place] == numbers[best]
    if n_same >= most:
        for i in range(len(numbers)):
            if numbers[i] == numbers[best]:
                is_out[i] = True
