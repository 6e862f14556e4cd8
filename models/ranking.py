"""From a taste vector to a list: score, exclusions, top k, and why.

Tracks are unit rows and the taste vector has unit length, so a dot product is the
cosine. The score is ``1 - (1 - cosine) / scale`` with the hub scale of the track: it is
the cosine for a track at a usual distance from its neighbours, and less for one that
is near to everything. Candidates come from one float32 matrix product for many
listeners; their scores are computed again in float64 one listener at a time, so that a
list does not depend on who else was in the batch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.taste import Entry, Listen, Taste
from segue.events import Action
from segue.track_index import TrackIndex

# candidates beyond the list's length: float32 may order near-equal scores differently
_SPARE_CANDIDATES: Final = 16
_SCORE_DECIMALS: Final = 9
_N_REASONS: Final = 2

PARTS: Final = ("taste", "skips", "hub")
"""What a score is made of."""


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
        `taste` (towards what was heard), `skips` (away from what was skipped) and `hub`
        (against tracks that are near to everything); they add up to `score`.
    """

    track_id: str
    rank: int
    score: float
    parts: dict[str, float]
    because: list[Because]


@dataclass(frozen=True)
class Request:
    """What is known of one listener when a list is made.

    Attributes
    ----------
    listens : list of Listen
        With faded weights; they explain the list.
    excluded : frozenset of str
        Tracks that must not be in the list.
    """

    taste: Taste
    listens: list[Listen]
    excluded: frozenset[str]


def exclusions(
    entries: Sequence[Entry], as_of: datetime, heard_s: float, n_tracks: int
) -> frozenset[str]:
    """Return the tracks that stay out: disliked ones, and those heard lately.

    At most half of a catalogue of `n_tracks` counts as heard lately (the latest), so
    that a small one never runs dry.
    """
    disliked: set[str] = set()
    heard: dict[str, datetime] = {}
    for entry in sorted(entries, key=lambda entry: (entry.event_time, entry.event_id)):
        match entry.action:
            case Action.DISLIKED:
                disliked.add(entry.track_id)
            case Action.LIKED | Action.UNLIKED:
                disliked.discard(entry.track_id)
            case Action.FORGOTTEN:
                pass
            case _ if (as_of - entry.event_time).total_seconds() <= heard_s:
                heard[entry.track_id] = entry.event_time
    latest = sorted(heard, key=lambda track_id: (heard[track_id], track_id))
    n_heard = min(len(latest), n_tracks // 2)
    return frozenset(disliked.union(latest[len(latest) - n_heard :]))


def rank(
    requests: Sequence[Request], index: TrackIndex, negative_pull: float, k: int
) -> list[list[Recommendation]]:
    """Return one list of at most `k` tracks for each request, best first.

    A listener without taste gets an empty list. Equal scores stand in the order of
    their `track_id`.
    """
    if not requests:
        return []
    directions = [request.taste.direction(negative_pull) for request in requests]
    queries = np.stack([taste + skips for taste, skips in directions])
    scores = queries.astype(np.float32) @ index.vectors.T
    scores -= 1
    scores /= index.scales  # but for the 1 that all have in common
    lists = []
    for request, direction, row in zip(requests, directions, scores, strict=True):
        rows = _candidates(row, request.excluded, index, k)
        lists.append(_ranked(request, direction, rows, index, k))
    return lists


def _candidates(
    scores: NDArray[np.float32], excluded: frozenset[str], index: TrackIndex, k: int
) -> NDArray[np.intp]:
    out = [index.row_of[track_id] for track_id in excluded if track_id in index.row_of]
    scores[out] = -np.inf
    n_wanted = min(k + _SPARE_CANDIDATES, len(scores) - len(out))
    if n_wanted <= 0:
        return np.empty(0, dtype=np.intp)
    return np.argpartition(-scores, n_wanted - 1)[:n_wanted]


def _ranked(
    request: Request,
    direction: tuple[NDArray[np.float64], NDArray[np.float64]],
    rows: NDArray[np.intp],
    index: TrackIndex,
    k: int,
) -> list[Recommendation]:
    taste, skips = direction
    if not np.any(taste + skips):
        return []
    rows = np.sort(rows)
    vectors = index.vectors[rows].astype(np.float64)
    scales = index.scales[rows].astype(np.float64)
    sides = vectors @ np.stack([taste, skips], axis=1) / scales[:, None]
    parts = np.column_stack([sides, 1 - 1 / scales])
    scores = parts.sum(axis=1)
    order = np.lexsort((rows, -scores.round(_SCORE_DECIMALS)))[:k]
    return [
        Recommendation(
            track_id=index.track_ids[rows[i]],
            rank=place,
            score=float(scores[i]),
            parts=dict(zip(PARTS, parts[i].tolist(), strict=True)),
            because=_because(vectors[i], request.listens, index),
        )
        for place, i in enumerate(order, start=1)
    ]


def _because(
    vector: NDArray[np.float64], listens: list[Listen], index: TrackIndex
) -> list[Because]:
    """Return the listens whose weight times cosine speaks most for a track."""
    liked = [x for x in listens if x.weight > 0 and x.track_id in index.row_of]
    if not liked:
        return []
    rows = index.vectors[[index.row_of[x.track_id] for x in liked]].astype(np.float64)
    speaking = np.maximum(rows @ vector, 0.0) * [x.weight for x in liked]
    total = float(speaking.sum())
    best = np.argsort(-speaking.round(_SCORE_DECIMALS), kind="stable")[:_N_REASONS]
    return [
        Because(liked[i].track_id, float(speaking[i] / total), liked[i].listened_at)
        for i in best
        if speaking[i] > 0
    ]
