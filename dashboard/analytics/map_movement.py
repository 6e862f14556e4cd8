"""How listeners' tastes move over the map, by dates; nobody is named.

Of each date over, a listener lies at the mean of the tracks that they heard, by
weight. On each date those are a group whose tracks speak most for one cluster: what
somebody hears later changes nothing of the dates before.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from math import inf
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dashboard.analytics.map_points import Placed
from segue.small_groups import shown, tells_of_few
from segue.store import Document

# more than there are ordinals of dates
_DAYS: Final = 1 << 22

STEP: Final = 500
"""How wide the grid is on which groups lie; the map reaches to ±10,000.

Whoever reads a date before and after one listener has left it, and takes the sums from
each other, errs by up to `(2 n - 1) STEP / 2` along each axis.
"""

Place = tuple[float, float]
Ints = NDArray[np.int32]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Heard:
    """What listeners heard: a row for each track of a date.

    Attributes
    ----------
    listeners, days, rows : int32 arrays of shape (n,)
        Number of the listener, ordinal of the date, row of the index.
    weights : float64 array of shape (n,)
        Above 0.
    """

    listeners: Ints
    days: Ints
    rows: Ints
    weights: Floats

    @property
    def n_listeners(self) -> int:
        """How many heard something."""
        return len(np.unique(self.listeners))


class Daily(NamedTuple):
    """Where listeners were: a row for each and date, ascending."""

    listeners: NDArray[np.int64]
    days: NDArray[np.int64]
    places: Floats


@dataclass(frozen=True, slots=True)
class Moving:
    """A group of listeners, or a single one.

    Attributes
    ----------
    cluster : int, optional
        Of a group.
    places : mapping
        By date; of a group on a grid, and only on dates that tell of no few people.
    n_heard : mapping
        How many heard something and are shown, by date.
    """

    name: str
    cluster: int | None
    places: Mapping[date, Place]
    n_heard: Mapping[date, int]


def heard_in(documents: Iterable[Document], placed: Placed) -> Heard:
    """Return what listeners heard, by their numbers.

    Parameters
    ----------
    documents : iterable of documents
        With `listener` (a number), `day`, `track_ids` and `weights`; what is damaged
        is passed over.
    """
    listeners, days, parts = [], [], [_weights({}, placed)]
    for each in documents:
        if isinstance(each.get("day"), datetime):
            parts.append(_weights(each, placed))
            listeners.append(each["listener"])
            days.append(each["day"].toordinal())
    sizes = [len(rows) for rows, _ in parts[1:]]
    return Heard(
        np.repeat(np.array(listeners, np.int32), sizes),
        np.repeat(np.array(days, np.int32), sizes),
        np.concatenate([rows for rows, _ in parts]),
        np.concatenate([weights for _, weights in parts]),
    )


def together(parts: Sequence[Heard]) -> Heard:
    """Return what one or more parts tell."""
    names = [each.name for each in fields(Heard)]
    return Heard(*(np.concatenate([getattr(p, n) for p in parts]) for n in names))


def listeners_moving(heard: Heard, places: NDArray[np.float32]) -> list[Moving]:
    """Return where each listener was, by date, in the order of their numbers."""
    found: dict[int, dict[date, Place]] = defaultdict(dict)
    daily = _daily(_within(heard, places), places)
    for listener, day, place in zip(*(each.tolist() for each in daily), strict=True):
        found[listener][date.fromordinal(day)] = (place[0], place[1])
    return [
        Moving(f"Listener {listener + 1}", None, there, dict.fromkeys(there, 1))
        for listener, there in found.items()
    ]


def groups_moving(
    heard: Heard, places: NDArray[np.float32], placed: Placed, names: Sequence[str]
) -> list[Moving]:
    """Return where groups of listeners were, by date, the largest group first.

    All of it follows from what was heard on the same date.

    Parameters
    ----------
    names : sequence of str
        Of the clusters.
    """
    there = _within(heard, places)
    daily, n = _daily(there, places), placed.n_clusters
    days, at = np.unique(daily.days, return_inverse=True)
    cells = at * n + _clusters(there, placed)
    sizes = np.bincount(cells, minlength=len(days) * n)
    x, y = (
        np.bincount(cells, daily.places[:, axis], len(sizes)) / np.maximum(sizes, 1)
        for axis in (0, 1)
    )
    means: dict[int, dict[date, Place]] = defaultdict(dict)
    n_heard: dict[int, dict[date, int]] = defaultdict(dict)
    is_shown = [told for row in sizes.reshape(-1, n) for told in _shown(row.tolist())]
    for cell in np.flatnonzero(np.array(is_shown, np.bool_) & (sizes > 0)).tolist():
        when, cluster = date.fromordinal(int(days[cell // n])), cell % n
        means[cluster][when] = _coarse(x[cell]), _coarse(y[cell])
        n_heard[cluster][when] = int(sizes[cell])
    return [
        Moving(f"Group {names[each]}", each, means[each], n_heard[each])
        for each in sorted(means, key=lambda each: -sum(n_heard[each].values()))
    ]


def dates_of(moving: Iterable[Moving], first: date, last: date) -> list[date]:
    """Return the dates, of those between two, on which something is shown."""
    there = {at for each in moving for at in each.places if first <= at <= last}
    return sorted(there)


def held(moving: Moving, dates: Sequence[date]) -> list[Place | None]:
    """Return where somebody is on each date; without word they stay where they were."""
    at: Place | None = None
    found = []
    for each in dates:
        at = moving.places.get(each, at)
        found.append(at)
    return found


def _weights(document: Document, placed: Placed) -> tuple[Ints, Floats]:
    """Return rows and weights of the tracks that a document speaks for."""
    told = (document.get(name) for name in ("track_ids", "weights"))
    lists = (each if isinstance(each, list) else () for each in told)
    found = [
        (row, weight)
        for track, weight in zip(*lists, strict=False)
        if isinstance(track, str) and (row := placed.row_of.get(track)) is not None
        if isinstance(weight, float) and 0 < weight < inf
    ]
    rows, weights = zip(*found, strict=True) if found else ((), ())
    return np.array(rows, np.int32), np.array(weights, np.float64)


def _within(heard: Heard, places: NDArray[np.float32]) -> Heard:
    """Return what was heard of tracks that a layer has."""
    has_place = np.asarray(np.isfinite(places).all(axis=1), np.bool_)
    known = has_place[heard.rows]
    return Heard(
        heard.listeners[known],
        heard.days[known],
        heard.rows[known],
        heard.weights[known],
    )


def _keys(heard: Heard) -> NDArray[np.int64]:
    return heard.listeners.astype(np.int64) * _DAYS + heard.days


def _daily(heard: Heard, places: NDArray[np.float32]) -> Daily:
    """Return the mean place of each listener and date."""
    there, weights = places[heard.rows], heard.weights
    found, at = np.unique(_keys(heard), return_inverse=True)
    sums = [np.bincount(at, weights * there[:, axis], len(found)) for axis in (0, 1)]
    total = np.bincount(at, weights, len(found))
    places_there = np.stack(sums, axis=1) / total[:, None]
    return Daily(found // _DAYS, found % _DAYS, places_there)


def _clusters(heard: Heard, placed: Placed) -> NDArray[np.int64]:
    """Return the cluster for which each listener and date speaks most."""
    found, at = np.unique(_keys(heard), return_inverse=True)
    cells = at * placed.n_clusters + placed.clusters[heard.rows]
    n = len(found) * placed.n_clusters
    sums = np.bincount(cells, heard.weights, n).reshape(-1, placed.n_clusters)
    most: NDArray[np.int64] = sums.argmax(axis=1)
    return most


def _shown(sizes: Sequence[int]) -> list[bool]:
    """Return which groups of a date may be shown: all who heard something are known.

    Examples
    --------
    >>> _shown([5, 1, 0]), _shown([9, 6, 0])
    ([False, False, True], [True, True, True])
    """
    everybody = sum(sizes)
    return shown(sizes, [tells_of_few(size, everybody) for size in sizes])


def _coarse(place: float) -> float:
    return round(place / STEP) * float(STEP)
