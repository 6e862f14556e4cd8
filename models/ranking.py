"""From tastes to a list: candidates, score by parts, choice, and why.

Tracks are unit rows and the taste vector has unit length, so a dot product is the
cosine. Beside the taste vector a few seed tracks vote: of a track's cosines with them
the highest counts. With ``c`` the two together, and the hub scale ``s`` of the track,
the score is ``1 - (1 - c) / s``: ``c`` for a track at a usual distance from its
neighbours, and less for one that is near to everything. Candidates come from one
float32 matrix product for many listeners; their scores are computed again in float64
one listener at a time, so that a list does not depend on who else was in the batch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.evidence import Evidence
from models.groups import Rows, TrackGroups
from models.horizons import Horizon, Horizons, direction_of
from models.nearest import nearest_rows
from models.seeds import Seed, seeds_of
from models.variety import Caps, choose
from segue.settings import TasteSettings
from segue.track_index import TrackIndex

# candidates beyond those of a list: artists and likeness may take some away, and
# float32 may order near-equal scores differently
_CANDIDATES_PER_PLACE: Final = 4
_SPARE_CANDIDATES: Final = 16
_SCORE_DECIMALS: Final = 9
_N_REASONS: Final = 2
_FAMILIAR_AT_MOST: Final = 0.2

PARTS: Final = (*(each.value for each in Horizon), "skips", "seeds", "hub")
"""What the score of a candidate is made of."""
CHOICE_PARTS: Final = ("familiar", "variety")
"""What is added when a list is put together."""

Floats = NDArray[np.float64]


class Because(NamedTuple):
    """A listen that brought a track into the list; `share` of what spoke for it."""

    track_id: str
    share: float
    listened_at: datetime


@dataclass(frozen=True)
class Recommendation:
    """One row of a list.

    Attributes
    ----------
    score : float
        At most 1, which is the taste itself.
    parts : dict
        Towards each horizon's taste, away from what was skipped (`skips`), towards the
        nearest seed track (`seeds`), against tracks that are near to everything
        (`hub`), for or against what is `familiar`, against likeness to rows above
        (`variety`). They add up to `score`.
    seed : str or None
        The seed track that is nearest.
    """

    track_id: str
    rank: int
    score: float
    parts: dict[str, float]
    because: list[Because]
    seed: str | None


@dataclass(frozen=True)
class Request:
    """What is known of one listener when a list is made.

    Attributes
    ----------
    excluded : ndarray, int32
        Ascending rows of tracks that must not be in the list.
    familiar : frozenset of str
        Tracks that were heard before.
    """

    horizons: Horizons
    excluded: Rows
    familiar: frozenset[str]


class Ranked(NamedTuple):
    """A list, and the seed tracks that voted for it."""

    rows: list[Recommendation]
    seeds: list[Seed]


def rank(
    requests: Sequence[Request],
    index: TrackIndex,
    groups: TrackGroups,
    settings: TasteSettings,
) -> list[Ranked]:
    """Return one list for each request, best first.

    A listener without taste gets an empty list. Equal scores stand in the order of
    their `track_id`.
    """
    plans = [_plan(request, index, settings) for request in requests]
    wanted = [plan for plan in plans if plan is not None]
    if not wanted:
        return [Ranked([], []) for _ in requests]
    found = iter(
        nearest_rows(
            np.concatenate([plan.queries for plan in wanted]).astype(np.float32),
            index,
            _n_candidates(settings, index),
            [plan.request.excluded for plan in wanted for _ in plan.queries],
        )
    )
    lists = []
    for plan in plans:
        if plan is None:
            lists.append(Ranked([], []))
        else:
            near = np.concatenate([next(found) for _ in plan.queries])
            rows = _candidates(near, plan, index, settings)
            ranked = _ranked(plan, rows, index, groups, settings)
            lists.append(Ranked(ranked, plan.seeds))
    return lists


def _n_candidates(settings: TasteSettings, index: TrackIndex) -> int:
    n_wanted = settings.n_recommendations * _CANDIDATES_PER_PLACE
    return min(n_wanted + _SPARE_CANDIDATES, len(index.track_ids))


@dataclass(frozen=True)
class _Plan:
    """What a list is made from.

    Attributes
    ----------
    direction : ndarray, float64, shape (5, n_dims)
        The parts of the taste vector.
    queries : ndarray, float64, shape (1 + n_seeds, n_dims)
        The taste vector and the seeds': what candidates are near to.
    """

    request: Request
    direction: Floats
    seeds: list[Seed]
    queries: Floats


def _plan(request: Request, index: TrackIndex, settings: TasteSettings) -> _Plan | None:
    direction = direction_of(request.horizons.tastes, settings)
    if not direction.any():
        return None
    seeds = seeds_of(request.horizons.evidence, settings.n_seeds)
    rows = [index.row_of[seed.track_id] for seed in seeds]
    queries = np.vstack([direction.sum(axis=0), index.vectors[rows]])
    return _Plan(request, direction, seeds, queries)


def _candidates(
    near: Rows, plan: _Plan, index: TrackIndex, settings: TasteSettings
) -> Rows:
    """Return the rows that may be in the list, ascending."""
    if settings.familiar > 0:
        heard = plan.request.familiar & index.row_of.keys()
        mine = np.array([index.row_of[name] for name in heard], dtype=np.int32)
        near = np.concatenate([near, np.setdiff1d(mine, plan.request.excluded)])
    return np.unique(near[near >= 0])


def _ranked(
    plan: _Plan,
    rows: Rows,
    index: TrackIndex,
    groups: TrackGroups,
    settings: TasteSettings,
) -> list[Recommendation]:
    vectors = index.vectors[rows].astype(np.float64)
    scales = index.scales[rows].astype(np.float64)
    parts, nearest = _scored(plan, vectors, scales, settings)
    familiar = np.zeros(len(rows))
    if settings.familiar:
        is_heard = [index.track_ids[row] in plan.request.familiar for row in rows]
        familiar[is_heard] = _FAMILIAR_AT_MOST * settings.familiar
    scores = (parts.sum(axis=1) + familiar).round(_SCORE_DECIMALS)
    order = np.lexsort((rows, -scores))[: _n_candidates(settings, index)]
    places, costs = choose(
        scores[order],
        vectors[order],
        rows[order],
        groups,
        Caps(settings.max_per_artist, settings.max_per_album),
        settings.variety,
        settings.n_recommendations,
    )
    chosen = order[places]
    whole = np.column_stack([parts[chosen], familiar[chosen], costs])
    because = _because(vectors[chosen], plan.request.horizons.evidence)
    return [
        Recommendation(
            track_id=index.track_ids[rows[i]],
            rank=place,
            score=float(values.sum()),
            parts=dict(zip((*PARTS, *CHOICE_PARTS), values.tolist(), strict=True)),
            because=reasons,
            seed=plan.seeds[nearest[i]].track_id if plan.seeds else None,
        )
        for place, (i, values, reasons) in enumerate(
            zip(chosen, whole, because, strict=True), start=1
        )
    ]


def _scored(
    plan: _Plan, vectors: Floats, scales: Floats, settings: TasteSettings
) -> tuple[Floats, NDArray[np.intp]]:
    """Return the parts of each candidate's score, and its nearest seed."""
    share = settings.seed_share if plan.seeds else 0.0
    sides = (1 - share) * (vectors @ plan.direction.T)
    votes = np.zeros(len(vectors))
    nearest = np.zeros(len(vectors), dtype=np.intp)
    if plan.seeds:
        cosines = vectors @ plan.queries[1:].T
        nearest = np.argmax(cosines.round(_SCORE_DECIMALS), axis=1)
        votes = share * cosines[np.arange(len(vectors)), nearest]
    towards = np.column_stack([sides, votes]) / scales[:, None]
    return np.column_stack([towards, 1 - 1 / scales]), nearest


def _because(vectors: Floats, evidence: Evidence) -> list[list[Because]]:
    """Return for each row the listens whose weight times cosine speaks most for it."""
    speaking = np.maximum(vectors @ evidence.vectors.T, 0.0)
    speaking *= np.maximum(evidence.weights, 0.0)
    totals = speaking.sum(axis=1).tolist()
    order = np.argsort(-speaking.round(_SCORE_DECIMALS), axis=1, kind="stable")
    best = order[:, :_N_REASONS]
    spoken = np.take_along_axis(speaking, best, axis=1)
    return [
        [
            Because(evidence.track_ids[i], said / total, evidence.listened_at[i])
            for i, said in zip(places, words, strict=True)
            if said > 0
        ]
        for total, places, words in zip(
            totals, best.tolist(), spoken.tolist(), strict=True
        )
    ]
