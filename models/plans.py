"""What is asked of a ranking, and what a list is then made from: the plan.

Candidates come from every part that can bring one: the taste vector and the seed tracks
by one float32 matrix product for many listeners, the listeners' factors by another, and
what was heard by its neighbours and followers.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.candidates import top_rows
from models.groups import Rows
from models.horizons import Horizons, direction_of
from models.learned import NO_BLEND, Blend, Learned, Opinion, opinion_of
from models.nearest import nearest_rows
from models.seeds import Seed, seeds_of
from segue.settings import TasteSettings
from segue.track_index import TrackIndex

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Request:
    """What is known of one listener when a list is made.

    Attributes
    ----------
    excluded : ndarray, int32
        Ascending rows of tracks that must not be in the list.
    familiar : frozenset of str
        Tracks that were heard before.
    seed : int
        Of the lots; see `models.exploration.seed_of`.
    """

    horizons: Horizons
    excluded: Rows
    familiar: frozenset[str]
    seed: int = 0


@dataclass(frozen=True)
class Plan:
    """What a list is made from.

    Attributes
    ----------
    direction : ndarray, float64, shape (5, n_dims)
        The parts of the taste vector.
    queries : ndarray, float64, shape (1 + n_seeds, n_dims)
        The taste vector and the seeds': what candidates are near to.
    opinion : Opinion or None
        What other listeners say; None where no model was trained, or where it knows
        nothing that was heard.
    """

    request: Request
    direction: Floats
    seeds: list[Seed]
    queries: Floats
    opinion: Opinion | None

    @property
    def blend(self) -> Blend:
        """The shares of what others say."""
        return NO_BLEND if self.opinion is None else self.opinion.learned.blend


def plan_of(
    request: Request,
    index: TrackIndex,
    settings: TasteSettings,
    learned: Learned | None,
) -> Plan | None:
    """Return the plan of a list, None for a listener without taste."""
    direction = direction_of(request.horizons.tastes, settings)
    if not direction.any():
        return None
    evidence = request.horizons.evidence
    seeds = seeds_of(evidence, settings.n_seeds)
    return plan_from(request, direction, seeds, index, learned)


def plan_from(
    request: Request,
    direction: Floats,
    seeds: list[Seed],
    index: TrackIndex,
    learned: Learned | None,
) -> Plan:
    """Return the plan of a list from its taste vector, by parts, and its seeds.

    Without a taste vector candidates are near to the seeds alone.
    """
    rows = [index.row_of[seed.track_id] for seed in seeds]
    towards = direction.sum(axis=0) if direction.any() else index.vectors[rows[0]]
    queries = np.vstack([towards, index.vectors[rows]])
    opinion, horizons = None, request.horizons
    if learned is not None:
        opinion = opinion_of(learned, horizons.evidence, horizons.session, index)
    has_part = opinion is not None and opinion.says_something
    return Plan(request, direction, seeds, queries, opinion if has_part else None)


def candidates_of(
    plans: Sequence[Plan],
    n: int,
    index: TrackIndex,
    settings: TasteSettings,
) -> Iterator[Rows]:
    """Yield for each plan the rows that may be in the list, ascending.

    Parameters
    ----------
    n : int
        Of each part.
    """
    near = iter(
        nearest_rows(
            np.concatenate([plan.queries for plan in plans]).astype(np.float32),
            index,
            n,
            [plan.request.excluded for plan in plans for _ in plan.queries],
        )
    )
    liked = iter(_liked(plans, n))
    for plan in plans:
        found = [next(near) for _ in plan.queries]
        if plan.opinion is not None:
            out = plan.request.excluded
            found += [each.best(n, out) for each in plan.opinion.votings]
            found.append(next(liked))
        if settings.familiar > 0:
            found.append(_familiar(plan.request, index))
        rows = np.concatenate(found)
        yield np.unique(rows[rows >= 0])


def _liked(plans: Sequence[Plan], n: int) -> Sequence[Rows]:
    """Return the rows that the factors of each plan with an opinion like most."""
    asked = [(plan, plan.opinion) for plan in plans if plan.opinion is not None]
    if not asked:
        return []
    queries = np.stack([opinion.factors for _, opinion in asked]).astype(np.float32)
    excluded = [plan.request.excluded for plan, _ in asked]
    return list(top_rows(queries, asked[0][1].learned.factors, n, excluded))


def _familiar(request: Request, index: TrackIndex) -> Rows:
    heard = request.familiar & index.row_of.keys()
    mine = np.array([index.row_of[name] for name in heard], dtype=np.int32)
    return np.setdiff1d(mine, request.excluded)
