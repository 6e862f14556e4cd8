"""The score of a candidate, and the parts that it is made of.

Tracks are unit rows and the taste vector has unit length, so a dot product is the
cosine. Beside the taste vector a few seed tracks vote: of a track's cosines with them
the highest counts. With ``c`` the two together, and the hub scale ``s`` of the track,
the taste says ``1 - (1 - c) / s``: ``c`` for a track at a usual distance from its
neighbours, and less for one that is near to everything.

What other listeners play has a share beside it, where a model was trained: the product
with the listener's factors, and the votes of what was heard for its neighbours and, of
what was heard last, for its followers, each over the greatest amount among the
candidates.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.groups import Rows
from models.horizons import Horizon
from models.plans import Plan
from models.scaling import over_greatest
from segue.settings import TasteSettings
from segue.track_index import TrackIndex

DECIMALS: Final = 9
PARTS: Final = (
    *(each.value for each in Horizon),
    *("skips", "seeds", "hub", "collaborative", "neighbours", "followers"),
)
"""What the score of a candidate is made of."""

Floats = NDArray[np.float64]


def parts_of(
    plan: Plan,
    rows: Rows,
    vectors: Floats,
    index: TrackIndex,
    settings: TasteSettings,
) -> Floats:
    """Return the parts of each row's score, in the order of `PARTS`.

    Parameters
    ----------
    vectors : ndarray, float64, shape (n, n_dims)
        Those of `rows`.
    """
    scales = index.scales[rows].astype(np.float64)
    taste = _towards_taste(plan, vectors, scales, settings)
    share = max(0.0, 1 - sum(plan.blend))
    return np.column_stack([share * taste, *_by_others(plan, rows)])


def _towards_taste(
    plan: Plan, vectors: Floats, scales: Floats, settings: TasteSettings
) -> Floats:
    share = settings.seed_share if plan.seeds else 0.0
    sides = (1 - share) * (vectors @ plan.direction.T)
    votes = np.zeros(len(vectors))
    if plan.seeds:
        votes = share * (vectors @ plan.queries[1:].T).max(axis=1)
    towards = np.column_stack([sides, votes]) / scales[:, None]
    return np.column_stack([towards, 1 - 1 / scales])


def _by_others(plan: Plan, rows: Rows) -> list[Floats]:
    opinion = plan.opinion
    if opinion is None:
        return [np.zeros(len(rows)) for _ in plan.blend]
    liked = opinion.learned.factors.vectors[rows].astype(np.float64) @ opinion.factors
    said = [liked, *(each.for_rows(rows) for each in opinion.votings)]
    return [
        share * over_greatest(each)
        for share, each in zip(plan.blend, said, strict=True)
    ]


def seeds_near(plan: Plan, vectors: Floats) -> list[str | None]:
    """Return for each of some tracks the seed that is nearest."""
    if not plan.seeds:
        return [None] * len(vectors)
    cosines = (vectors @ plan.queries[1:].T).round(DECIMALS)
    return [plan.seeds[at].track_id for at in np.argmax(cosines, axis=1)]


def speakers_for(
    plan: Plan, rows: Rows, index: TrackIndex
) -> list[tuple[str | None, str | None]]:
    """Return for each row the tracks that were heard and speak most for it.

    The first is whose neighbour it is, the second whose follower.
    """
    if plan.opinion is None:
        return [(None, None)] * len(rows)
    near, last = (each.speakers(rows).tolist() for each in plan.opinion.votings)

    def name(row: int) -> str | None:
        return index.track_ids[row] if row >= 0 else None

    return [(name(one), name(other)) for one, other in zip(near, last, strict=True)]
