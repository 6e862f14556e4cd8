"""What all listeners did together, as documents that tell of no few people.

A group of fewer than `small_groups.LEAST` is not written, nor what tells of one by
subtraction (docs/decisions/021-small-groups.md).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any, Final, NamedTuple

import numpy as np

from learning.clusters import Signs
from segue.population import CLUSTER, COHORT, SESSIONS, monday_of, population_id
from segue.small_groups import LEAST, is_few, shown, tells_of_few
from segue.store import Document

_ROUGH: Final = 100 * LEAST
"""Of so many listeners a whole percent is `LEAST` or more."""


class Cell(NamedTuple):
    """How many listeners of one first week played in one week."""

    first_week: int
    week: int
    n_listeners: int


class Cluster(NamedTuple):
    """One cluster.

    Attributes
    ----------
    could, did : sequence of int
        By weeks since the first play: for how many of its listeners that week is over,
        and how many of these played in it.
    """

    n_listeners: int
    n_plays: int
    n_skipped: int
    could: Sequence[int]
    did: Sequence[int]


def session_documents(rows: Iterable[Mapping[str, Any]]) -> list[Document]:
    """Return a document a date, from what `visits.sessions_by_day` tells of it."""
    names = ("n_sessions", "n_listeners", "n_plays", "heard_ms", "length_ms")
    return [
        {
            "_id": population_id(SESSIONS, (day := _date(row["day"])).isoformat()),
            "kind": SESSIONS,
            "day": _midnight(day),
            **{name: int(row[name]) for name in names},
            "lengths": [int(n) for n in row["lengths"]],
        }
        for row in rows
        if row["n_listeners"] >= LEAST
    ]


def cohort_documents(cells: Iterable[Cell], last_week: int) -> list[Document]:
    """Return a document a first week: who of its listeners played in each week since.

    Parameters
    ----------
    last_week : int
        The last one of which something is told.
    """
    told = {(cell.first_week, cell.week): cell.n_listeners for cell in cells}
    firsts = sorted({first for first, _ in told if first <= last_week})
    sizes = [told[first, first] for first in firsts]
    is_shown = dict(zip(firsts, shown(sizes), strict=True))
    visible = _visible(told, is_shown, last_week)
    return [
        {
            "_id": population_id(COHORT, monday_of(first).isoformat()),
            "kind": COHORT,
            "first_week": _midnight(monday_of(first)),
            "n_listeners": size,
            "played": [
                told.get((first, week), 0) if (first, week) in visible else None
                for week in range(first, last_week + 1)
            ],
        }
        for first, size in zip(firsts, sizes, strict=True)
        if is_shown[first]
    ]


def cluster_documents(
    clusters: Sequence[Cluster], signs: Sequence[Signs], centres: Sequence[Any]
) -> list[Document]:
    """Return a document a cluster."""
    kept = shares_kept(clusters)
    return [
        {
            "_id": population_id(CLUSTER, number),
            "kind": CLUSTER,
            "number": number,
            "n_listeners": cluster.n_listeners,
            "n_plays": cluster.n_plays,
            "n_skipped": cluster.n_skipped,
            "genre_ids": [*known_by.genre_ids],
            "track_ids": [*known_by.track_ids],
            "center": [float(x) for x in center],
            "retained": kept[number],
        }
        for number, (cluster, known_by, center) in enumerate(
            zip(clusters, signs, centres, strict=True)
        )
    ]


def shares_kept(clusters: Sequence[Cluster]) -> list[list[float | None]]:
    """Return of each cluster which share played, by weeks since the first play.

    As whole percents, not numbers: from one week to the next the listeners of whom it
    is told become fewer by those who came in one week, and these may be few. Where
    percents are as fine as people, a week by which few became fewer is left out, too.
    """
    n_weeks = max((len(cluster.could) for cluster in clusters), default=0)
    told: list[list[float | None]] = [[] for _ in clusters]
    before = [cluster.n_listeners for cluster in clusters]
    for week in range(n_weeks):
        could = [_at(cluster.could, week) for cluster in clusters]
        did = [_at(cluster.did, week) for cluster in clusters]
        hidden = [
            could[n] < LEAST
            or (could[n] < _ROUGH and is_few(before[n] - could[n]))
            or tells_of_few(did[n], could[n])
            for n in range(len(clusters))
        ]
        for n, may_be in enumerate(shown(did, hidden)):
            told[n].append(round(did[n] / could[n], 2) if may_be else None)
            if may_be:
                before[n] = could[n]
    return [_trimmed(row) for row in told]


def over_weeks(
    sizes: Mapping[int, int], played: Mapping[int, int], last_week: int
) -> tuple[list[int], list[int]]:
    """Return `could` and `did` of a cluster.

    Parameters
    ----------
    sizes : mapping
        Its listeners by first week.
    played : mapping
        Those who played, by weeks since theirs.
    last_week : int
        The last one that is over.
    """
    first = min((week for week in sizes if week <= last_week), default=last_week + 1)
    since = range(last_week - first + 1)
    by_week = np.zeros(len(since), np.int64)
    for week, n in sizes.items():
        if week <= last_week:
            by_week[: last_week - week + 1] += n
    return by_week.tolist(), [played.get(n, 0) for n in since]


def _visible(
    told: Mapping[tuple[int, int], int], is_shown: Mapping[int, bool], last_week: int
) -> set[tuple[int, int]]:
    """Return the first weeks and weeks of which a number may be told.

    All who played in a week are a total that others may know: so of each week either
    nothing is hidden, or several numbers are.
    """
    firsts = sorted(is_shown)
    visible = {(first, first) for first in firsts if is_shown[first]}
    for week in range(firsts[0] if firsts else 0, last_week + 1):
        # of their first week all played: that number is told with the cohort
        some = [first for first in firsts if first <= week]
        some = [first for first in some if (first, week) not in visible]
        sizes = [told.get((first, week), 0) for first in some]
        hidden = [
            not is_shown[first] or tells_of_few(size, told[first, first])
            for first, size in zip(some, sizes, strict=True)
        ]
        may_be = shown(sizes, hidden)
        visible |= {
            (first, week) for first, yes in zip(some, may_be, strict=True) if yes
        }
    return visible


def _at(numbers: Sequence[int], place: int) -> int:
    return numbers[place] if place < len(numbers) else 0


def _trimmed(row: list[float | None]) -> list[float | None]:
    last = max((n for n, share in enumerate(row) if share is not None), default=-1)
    return row[: last + 1]


def _date(day: int) -> date:
    return date.fromordinal(date(1970, 1, 1).toordinal() + day)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
