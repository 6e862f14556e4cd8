"""Lists by one horizon's taste alone, as the ranker would make them of nothing else.

The taste takes the place of `now`, whose share in a taste vector is whole; there are no
seed tracks, no model and no lots.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from models.evidence import Evidence
from models.groups import Rows, TrackGroups
from models.horizons import Horizon, Horizons
from models.plans import Request
from models.ranking import rank
from models.taste import Taste, no_taste
from segue.settings import TasteSettings
from segue.track_index import TrackIndex

_MOST_OF_ONE: Final = 2


def lists_of(
    tastes: Sequence[Taste],
    excluded: Rows,
    index: TrackIndex,
    groups: TrackGroups,
    settings: TasteSettings,
    n: int,
) -> list[list[str]]:
    """Return for each taste the `n` tracks that it likes most, by id, best first.

    A taste without a direction likes none. At most two are of one artist or album, and
    one of a recording.

    Parameters
    ----------
    excluded : ndarray, int32
        Ascending rows that must not be in a list.

    Examples
    --------
    >>> from models.groups import create_groups
    >>> from models.taste import Side
    >>> from segue.track_index import create_track_index
    >>> points = np.array([[1, 0], [0.8, 0.6], [0, 1]], dtype=np.float32)
    >>> index = create_track_index("v", ["dub", "reggae", "opera"], points)
    >>> groups = create_groups(index.track_ids, {})
    >>> dub = Taste(Side(np.array([1.0, 0.0]), 2.0), Side(np.zeros(2), 0.0))
    >>> out = np.array([0], dtype=np.int32)
    >>> lists_of([dub, no_taste(2)], out, index, groups, TasteSettings(), 2)
    [['reggae', 'opera'], []]
    """
    short = settings.model_copy(
        update={
            "n_recommendations": n,
            "explored_share": 0.0,
            "familiar": 0.0,
            "max_per_artist": _MOST_OF_ONE,
            "max_per_album": _MOST_OF_ONE,
        }
    )
    requests = [
        Request(_alone(taste, index.vectors.shape[1]), excluded, frozenset())
        for taste in tastes
    ]
    ranked = rank(requests, index, groups, short)
    return [[row.track_id for row in each.rows] for each in ranked]


def _alone(taste: Taste, n_dims: int) -> Horizons:
    """Return what is known of a listener of whom only one taste is."""
    tastes = {each: no_taste(n_dims) for each in Horizon} | {Horizon.NOW: taste}
    nothing = Evidence([], np.empty((0, n_dims)), np.empty(0), [])
    return Horizons(tastes, dict.fromkeys(Horizon, 0), nothing, {}, ())
