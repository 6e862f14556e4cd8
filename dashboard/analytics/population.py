"""What `segue population` has counted of all listeners, from its documents."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, TypeVar

from pymongo import DESCENDING
from pymongo.asynchronous.database import AsyncDatabase

from dashboard.analytics.times import Wish
from dashboard.refusals import RefusedError
from segue import store
from segue.population import (
    CLUSTER,
    COHORT,
    RUN,
    SESSIONS,
    length_names,
    monday_of,
    population_id,
    week_of,
)
from segue.small_groups import LEAST
from segue.store import Document

MOST_DATES: Final = 3_660
MOST_FIRST_WEEKS: Final = 520
_MOST_CLUSTERS: Final = 50
_EARLIEST: Final = date(1, 1, 1)
_T = TypeVar("_T", "Sessions", "Cohort", "Cluster")


@dataclass(frozen=True, slots=True)
class Sessions:
    """Sessions that began on one date.

    Attributes
    ----------
    lengths : sequence of int
        How many there are of each class of `segue.population.LENGTHS_MIN`.
    """

    day: date
    n_sessions: int
    n_listeners: int
    n_plays: int
    heard_ms: int
    length_ms: int
    lengths: Sequence[int]


@dataclass(frozen=True, slots=True)
class Cohort:
    """Those who played for the first time in one week.

    Attributes
    ----------
    played : sequence of int or None
        How many of them played in each week since, from the first on; None where that
        would tell of few.
    """

    first_week: date
    n_listeners: int
    played: Sequence[int | None]

    def share(self, since: int) -> float | None:
        """Return which share played so many weeks after the first; None untold."""
        n = self.played[since] if since < len(self.played) else None
        return None if n is None else n / self.n_listeners


@dataclass(frozen=True, slots=True)
class Cluster:
    """Listeners whose tastes are alike.

    Attributes
    ----------
    center : sequence of float
        Of the taste space, at unit length.
    retained : sequence of float or None
        Which share played, by weeks since the first play; None untold.
    """

    number: int
    n_listeners: int
    n_plays: int
    n_skipped: int
    genre_ids: Sequence[str]
    track_ids: Sequence[str]
    center: Sequence[float]
    retained: Sequence[float | None]

    @property
    def name(self) -> str:
        """How it is called: by its number, from 1."""
        return f"Cluster {self.number + 1}"

    @property
    def skip_share(self) -> float | None:
        """Skips per play; None without plays."""
        return self.n_skipped / self.n_plays if self.n_plays else None


async def counted_at(database: AsyncDatabase[Document]) -> datetime | None:
    """Return when all this was counted; None where it never was."""
    found = await database[store.POPULATION].find_one(population_id(RUN))
    at = (found or {}).get("made_at")
    return at if isinstance(at, datetime) else None


async def read_sessions(
    database: AsyncDatabase[Document], wish: Wish
) -> list[Sessions]:
    """Return the sessions of the dates in a time, oldest first; the newest dates."""
    first, last = _dates(wish)
    return await _read(database, SESSIONS, (first, last), MOST_DATES, _sessions)


async def read_cohorts(
    database: AsyncDatabase[Document], wish: Wish, most: int = MOST_FIRST_WEEKS
) -> list[Cohort]:
    """Return those who came in the weeks that a time touches; the newest weeks."""
    first, last = _dates(wish)
    if first != _EARLIEST:
        first = monday_of(week_of(first))
    return await _read(database, COHORT, (first, last), most, _cohort)


async def read_clusters(database: AsyncDatabase[Document]) -> list[Cluster]:
    """Return all clusters, the largest first."""
    found = await _read(database, CLUSTER, None, _MOST_CLUSTERS, _cluster)
    return sorted(found, key=lambda cluster: cluster.number)


async def _read(
    database: AsyncDatabase[Document],
    kind: str,
    dates: tuple[date, date] | None,
    most: int,
    made_of: Callable[[Document], _T],
) -> list[_T]:
    low, high = f"{kind}|", f"{kind}|~"
    if dates is not None:
        low, high = (population_id(kind, day.isoformat()) for day in dates)
    found = database[store.POPULATION].find({"_id": {"$gte": low, "$lte": high}})
    rows = await found.sort("_id", DESCENDING).limit(most).to_list()
    try:
        told = [made_of(row) for row in reversed(rows)]
    except (KeyError, TypeError, ValueError, AttributeError):
        raise RefusedError(
            503,
            "damaged",
            "What was counted of listeners is damaged or of another Segue: run "
            "“segue population” again.",
        ) from None
    # none is written of fewer
    return [each for each in told if each.n_listeners >= LEAST]


def _dates(wish: Wish) -> tuple[date, date]:
    return (_EARLIEST if wish.start is None else wish.start.date()), wish.last_date


def _sessions(row: Document) -> Sessions:
    names = ("n_sessions", "n_listeners", "n_plays", "heard_ms", "length_ms")
    numbers = {name: int(row[name]) for name in names}
    lengths = [*map(int, row["lengths"])]
    if len(lengths) != len(length_names()):
        raise ValueError
    return Sessions(row["day"].date(), **numbers, lengths=lengths)


def _cohort(row: Document) -> Cohort:
    played = [None if n is None else int(n) for n in row["played"]]
    return Cohort(row["first_week"].date(), int(row["n_listeners"]), played)


def _cluster(row: Document) -> Cluster:
    names = ("number", "n_listeners", "n_plays", "n_skipped")
    told: dict[str, Any] = {name: int(row[name]) for name in names}
    told |= {name: [*map(str, row[name])] for name in ("genre_ids", "track_ids")}
    return Cluster(
        **told,
        center=[float(x) for x in row["center"]],
        retained=[None if x is None else float(x) for x in row["retained"]],
    )
