"""From tastes to a list: candidates, score by parts, choice, and why.

Candidates are found for many listeners together (`models/plans.py`); their scores are
computed again in float64 one listener at a time (`models/scores.py`), so that a list
does not depend on who else was in the batch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.evidence import Evidence
from models.exploration import draw
from models.groups import Rows, TrackGroups
from models.learned import Learned
from models.plans import Plan, Request, candidates_of, plan_of
from models.scores import DECIMALS, PARTS, parts_of, seeds_near, speakers_for
from models.seeds import Seed
from models.variety import Rules, choose
from segue.settings import TasteSettings
from segue.track_index import TrackIndex

# candidates beyond those of a list: artists and likeness may take some away, and
# float32 may order near-equal scores differently
_CANDIDATES_PER_PLACE: Final = 4
_SPARE_CANDIDATES: Final = 16
_N_REASONS: Final = 2
_FAMILIAR_AT_MOST: Final = 0.2

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
        (`hub`), towards what listeners of the same tracks like (`collaborative`) and
        what is played together with them (`neighbours`) and next after the last of them
        (`followers`), for or against what is `familiar`, against likeness to rows above
        (`variety`). They add up to `score`.
    seed : str or None
        The seed track that is nearest.
    neighbour : str or None
        The track that was heard and is most often played together with it.
    follows : str or None
        The track that was heard lately and after which it is most often played.
    explored : bool
        Whether the place was given by lot; see `models/exploration.py`.
    propensity : float
        How likely the track was to come to this place, given those above.
    """

    track_id: str
    rank: int
    score: float
    parts: dict[str, float]
    because: list[Because]
    seed: str | None
    neighbour: str | None
    follows: str | None
    explored: bool
    propensity: float


class Ranked(NamedTuple):
    """A list, its seed tracks, and the model that had a part in it."""

    rows: list[Recommendation]
    seeds: list[Seed]
    model_version: str | None


def rank(
    requests: Sequence[Request],
    index: TrackIndex,
    groups: TrackGroups,
    settings: TasteSettings,
    learned: Learned | None = None,
) -> list[Ranked]:
    """Return one list for each request, best first.

    A listener without taste gets an empty list. Equal scores stand in the order of
    their `track_id`.

    Parameters
    ----------
    learned : Learned, optional
        What other listeners' plays say, in the rows of `index`.
    """
    plans = [plan_of(request, index, settings, learned) for request in requests]
    return rank_plans(plans, index, groups, settings)


def rank_plans(
    plans: Sequence[Plan | None],
    index: TrackIndex,
    groups: TrackGroups,
    settings: TasteSettings,
) -> list[Ranked]:
    """Return the list of each plan, an empty one for None."""
    wanted = [plan for plan in plans if plan is not None]
    if not wanted:
        return [Ranked([], [], None) for _ in plans]
    n = _n_candidates(settings, index)
    found = candidates_of(wanted, n, index, settings)
    return [
        Ranked([], [], None)
        if plan is None
        else _ranked(plan, next(found), index, groups, settings)
        for plan in plans
    ]


def _n_candidates(settings: TasteSettings, index: TrackIndex) -> int:
    n_wanted = settings.n_recommendations * _CANDIDATES_PER_PLACE
    return min(n_wanted + _SPARE_CANDIDATES, len(index.track_ids))


def _ranked(
    plan: Plan,
    rows: Rows,
    index: TrackIndex,
    groups: TrackGroups,
    settings: TasteSettings,
) -> Ranked:
    vectors = index.vectors[rows].astype(np.float64)
    parts = parts_of(plan, rows, vectors, index, settings)
    familiar = _familiar(plan, rows, index, settings)
    scores = (parts.sum(axis=1) + familiar).round(DECIMALS)
    order = np.lexsort((rows, -scores))[: _n_candidates(settings, index)]
    rules = Rules(
        settings.n_recommendations,
        settings.max_per_artist,
        settings.max_per_album,
        settings.variety,
    )
    names = [index.track_ids[row] for row in rows[order]]
    lot = draw(plan.request.seed, settings.explored_share, rules.k, names)
    found = choose(scores[order], vectors[order], rows[order], groups, rules, lot)
    chosen = order[found.places]
    whole = np.column_stack([parts[chosen], familiar[chosen], found.costs])
    causes = zip(
        _because(vectors[chosen], plan.request.horizons.evidence),
        seeds_near(plan, vectors[chosen]),
        speakers_for(plan, rows[chosen], index),
        strict=True,
    )
    listed = [
        Recommendation(
            track_id=index.track_ids[row],
            rank=place,
            score=float(values.sum()),
            parts=dict(zip((*PARTS, *CHOICE_PARTS), values.tolist(), strict=True)),
            because=because,
            seed=seed,
            neighbour=neighbour,
            follows=follows,
            explored=bool(lot.is_open[place - 1]),
            propensity=float(found.propensities[place - 1]),
        )
        for place, (row, values, (because, seed, (neighbour, follows))) in enumerate(
            zip(rows[chosen], whole, causes, strict=True), start=1
        )
    ]
    model = None if plan.opinion is None else plan.opinion.learned.version
    return Ranked(listed, plan.seeds, model)


def _familiar(
    plan: Plan, rows: Rows, index: TrackIndex, settings: TasteSettings
) -> Floats:
    familiar = np.zeros(len(rows))
    if settings.familiar:
        is_heard = [index.track_ids[row] in plan.request.familiar for row in rows]
        familiar[is_heard] = _FAMILIAR_AT_MOST * settings.familiar
    return familiar


def _because(vectors: Floats, evidence: Evidence) -> list[list[Because]]:
    """Return for each row the listens whose weight times cosine speaks most for it."""
    speaking = np.maximum(vectors @ evidence.vectors.T, 0.0)
    speaking *= np.maximum(evidence.weights, 0.0)
    totals = speaking.sum(axis=1).tolist()
    order = np.argsort(-speaking.round(DECIMALS), axis=1, kind="stable")
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
