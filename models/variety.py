"""The order of a list: the best first, but not too much of the same.

Maximal marginal relevance (Carbonell and Goldstein 1998): each place goes to the track
whose score, less what its likeness to those above costs, is highest. Of an artist and
of an album there are at most so many, and of a recording one. A place that is open to
the lot (`models/exploration.py`) goes to any of the candidates that may stand there.
"""

from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from models.exploration import Lot
from models.groups import Rows, TrackGroups


class Rules(NamedTuple):
    """How a list is put together.

    Attributes
    ----------
    k : int
        Most tracks.
    max_per_artist, max_per_album : int
        Most of one artist and of one album.
    variety : float
        What a cosine of 1 with a chosen track costs.
    """

    k: int
    max_per_artist: int
    max_per_album: int
    variety: float


class Chosen(NamedTuple):
    """What stands in a list, the first place first.

    Attributes
    ----------
    places : ndarray, intp, shape (n_chosen,)
        Places of the chosen among the candidates.
    costs : ndarray, float64, shape (n_chosen,)
        What likeness to those above cost each, 0 or less.
    propensities : ndarray, float64, shape (n_chosen,)
        How likely each was to come there, given those above.
    """

    places: NDArray[np.intp]
    costs: NDArray[np.float64]
    propensities: NDArray[np.float64]


def choose(
    scores: NDArray[np.float64],
    vectors: NDArray[np.float64],
    rows: Rows,
    groups: TrackGroups,
    rules: Rules,
    lot: Lot,
) -> Chosen:
    """Choose at most `k` of the candidates.

    Parameters
    ----------
    scores : ndarray, float64, shape (n,)
        Descending; of equal values the first is taken.
    vectors : ndarray, float64, shape (n, n_dims)
        Unit rows.
    rows : ndarray, int32, shape (n,)
        Their rows in the index.
    lot : Lot
        Of `k` places and these candidates.
    """
    cosines = vectors @ vectors.T
    numbers = np.stack(
        [each.numbers[rows] for each in (groups.artist, groups.album, groups.recording)]
    )
    most = np.array([rules.max_per_artist, rules.max_per_album, 1])
    return Chosen(*_chosen(scores, cosines, numbers, most, rules.variety, lot))


@numba.njit(cache=True, nogil=True)
def _chosen(scores, cosines, numbers, most, variety, lot):  # type: ignore[no-untyped-def]
    n = len(scores)
    k = min(len(lot.is_open), n)
    is_out, cost = np.zeros(n, dtype=np.bool_), np.zeros(n)
    places, costs = np.empty(k, dtype=np.intp), np.empty(k)
    propensities = np.empty(k)
    for place in range(k):
        best = _best(scores, cost, is_out)
        if best < 0:
            return places[:place], costs[:place], propensities[:place]
        taken = _lowest(lot.keys, is_out) if lot.is_open[place] else best
        likely = lot.share / (n - is_out.sum())
        propensities[place] = likely + (1 - lot.share if taken == best else 0.0)
        places[place], costs[place] = taken, cost[taken]
        is_out[taken] = True
        for kind in range(len(most)):
            _close_full(numbers[kind], taken, places[: place + 1], most[kind], is_out)
        for i in range(n):
            cost[i] = min(cost[i], -variety * cosines[i, taken])
    return places, costs, propensities


@numba.njit(cache=True, nogil=True)
def _lowest(keys, is_out):  # type: ignore[no-untyped-def]
    lowest = -1
    for i in range(len(keys)):
        if not is_out[i] and (lowest < 0 or keys[i] < keys[lowest]):
            lowest = i
    return lowest


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
