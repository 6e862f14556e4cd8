"""A radio: a list that begins at some tracks, or at the taste of now, and goes on.

It is a list like the others (`models/ranking.py`), made from the stored taste with
other numbers: its seeds are those of the station, `taste.radio_seed_share` is what they
have to say against the taste, and the two dials take the places of `taste.familiar` and
`taste.variety`. No place goes by lot. What was skipped since the taste was stored
counts as the stream will count it, so that what comes next need not wait for it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

import numpy as np

from models.days import Familiar
from models.evidence import Evidence, evidence_of, joined, weights_now_and_today
from models.exclusions import rows_out
from models.followers import N_STEPS
from models.groups import TrackGroups
from models.horizons import Horizon, Horizons, direction_of, evidence_behind
from models.learned import Learned
from models.listens import Block, Listen
from models.plans import Plan, Request, plan_from, plan_of
from models.ranking import Recommendation, rank_plans
from models.seeds import Seed, seeds_of
from models.taste import Taste, taste_of, together
from segue.settings import TasteSettings
from segue.track_index import TrackIndex

_MOST_SEED_TRACKS: Final = 64


class Station(NamedTuple):
    """What a radio plays.

    Attributes
    ----------
    track_ids : sequence of str
        Where it begins: a track, or those of an artist, an album or a playlist. Where
        there are none, at the taste of now.
    familiar : float
        From -1, rather what was never heard, to 1, rather what was heard before.
    variety : float
        What likeness to a track above costs, from 0 to 1.
    n : int
        Most tracks.
    """

    track_ids: Sequence[str]
    familiar: float
    variety: float
    n: int


@dataclass(frozen=True)
class Listener:
    """What is known of who listens.

    Attributes
    ----------
    tastes : mapping
        As stored, by horizon.
    as_of : datetime
        Of the newest event that they reflect.
    listens : sequence of Listen
        Of the last day, by time.
    skips : sequence of Listen
        Those that `tastes` do not reflect yet.
    heard : sequence of str
        What was played lately, distinct, newest last.
    session : sequence of str
        What was played and not skipped in this session, newest last.
    familiar : sequence of Familiar
        What was heard most in the days before.
    disliked : sequence of str
    blocks : sequence of Block
    """

    tastes: Mapping[Horizon, Taste]
    as_of: datetime
    listens: Sequence[Listen] = ()
    skips: Sequence[Listen] = ()
    heard: Sequence[str] = ()
    session: Sequence[str] = ()
    familiar: Sequence[Familiar] = ()
    disliked: Sequence[str] = ()
    blocks: Sequence[Block] = ()


def tune(
    station: Station,
    listener: Listener,
    index: TrackIndex,
    groups: TrackGroups,
    settings: TasteSettings,
    learned: Learned | None = None,
) -> list[Recommendation]:
    """Return what a radio plays next, best first.

    It is empty where the station has no tracks of the index and the listener no taste.

    Examples
    --------
    >>> from datetime import UTC
    >>> from models.groups import create_groups
    >>> from models.taste import no_taste
    >>> from segue.track_index import create_track_index
    >>> points = np.array([[1, 0], [0.8, 0.6], [0, 1]], dtype=np.float32)
    >>> index = create_track_index("v", ["dub", "reggae", "opera"], points)
    >>> new = Listener(dict.fromkeys(Horizon, no_taste(2)), datetime.now(UTC))
    >>> station = Station(["dub"], familiar=0.0, variety=0.0, n=3)
    >>> groups = create_groups(index.track_ids, {})
    >>> rows = tune(station, new, index, groups, TasteSettings())
    >>> [(row.track_id, round(row.score, 6)) for row in rows]
    [('dub', 1.0), ('reggae', 0.8), ('opera', 0.0)]
    """
    plan, ours = plan_radio(station, listener, index, groups, settings, learned)
    return rank_plans([plan], index, groups, ours)[0].rows


def plan_radio(
    station: Station,
    listener: Listener,
    index: TrackIndex,
    groups: TrackGroups,
    settings: TasteSettings,
    learned: Learned | None,
) -> tuple[Plan | None, TasteSettings]:
    """Return what a radio is made from, and the settings with which it is ranked."""
    told = taste_of(listener.skips, index.row_of, index.vectors)
    tastes = {name: together([each, told]) for name, each in listener.tastes.items()}
    seeds = _seeds(station, listener.as_of, index, settings)
    direction = direction_of(tastes, settings)
    share = settings.seed_share
    if seeds:
        # a taste of nothing has nothing to say
        share = settings.radio_seed_share if direction.any() else 1.0
    ours = settings.model_copy(
        update={
            "n_recommendations": station.n,
            "familiar": station.familiar,
            "variety": station.variety,
            "seed_share": share,
            "explored_share": 0.0,
        }
    )
    request = _request(listener, tastes, seeds, index, groups, ours)
    if seeds:
        return plan_from(request, direction, seeds, index, learned), ours
    return plan_of(request, index, ours, learned), ours


def _seeds(
    station: Station, as_of: datetime, index: TrackIndex, settings: TasteSettings
) -> list[Seed]:
    """Return the medoids of the tracks where a station begins; of many, of a sample."""
    known = [name for name in station.track_ids if name in index.row_of]
    n = min(len(known), _MOST_SEED_TRACKS)
    sample = [known[at] for at in np.arange(n) * len(known) // max(n, 1)]
    listens = [Listen(name, 1.0, as_of) for name in sample]
    return seeds_of(evidence_of(listens, index), max(1, settings.n_seeds))


def _request(
    listener: Listener,
    tastes: Mapping[Horizon, Taste],
    seeds: Sequence[Seed],
    index: TrackIndex,
    groups: TrackGroups,
    settings: TasteSettings,
) -> Request:
    behind = _evidence(listener, tastes, settings, index)
    of_listener = zip(behind.track_ids, behind.weights.tolist(), strict=True)
    familiar = frozenset(name for name, weight in of_listener if weight > 0)
    excluded = rows_out(
        listener.disliked, listener.heard, listener.blocks, index, groups
    )
    session = [*reversed(listener.session)][:N_STEPS] or [s.track_id for s in seeds]
    evidence = _with_seeds(behind, seeds, settings.seed_share, index)
    n_listens = dict.fromkeys(tastes, 0)
    horizons = Horizons(tastes, n_listens, evidence, {}, (), session)
    return Request(horizons, excluded, familiar)


def _evidence(
    listener: Listener,
    tastes: Mapping[Horizon, Taste],
    settings: TasteSettings,
    index: TrackIndex,
) -> Evidence:
    """Return what was heard and skipped, with the share of each in the taste vector."""
    # a skip that the taste lacks may be among the listens already
    told = (*listener.listens, *listener.skips)
    said = {(each.track_id, each.listened_at): each for each in told}
    by_time = sorted(said.values(), key=lambda x: (x.listened_at, x.track_id))
    listens = evidence_of(by_time, index)
    as_of = max([listener.as_of, *(x.listened_at for x in listener.skips)])
    faded = weights_now_and_today(listens, as_of, settings)
    return evidence_behind(listens, faded, listener.familiar, tastes, settings, index)


def _with_seeds(
    behind: Evidence, seeds: Sequence[Seed], share: float, index: TrackIndex
) -> Evidence:
    """Return evidence of which the seeds have this share."""
    if not seeds:
        return behind
    listens = [Listen(s.track_id, share * s.share, s.listened_at) for s in seeds]
    amount = float(np.abs(behind.weights).sum()) or 1.0
    rest = behind.weighing((1 - share) / amount * behind.weights)
    return joined(evidence_of(listens, index), rest)
