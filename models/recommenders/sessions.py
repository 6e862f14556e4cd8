"""Methods that know what a session is: what comes next, and what goes on from here.

Radio and the continuation of a playlist are any method that is asked about a session
alone: of radio, one of a single item.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from models.followers import (
    SESSION_GAP_S,
    follow_table,
    last_of_session,
    nearest_of,
    recency,
    sessions_of,
)
from models.recommenders.base import Recommender
from models.recommenders.learned import table_of, unit_rows
from models.recommenders.plays import Histories, Plays

Floats = NDArray[np.float64]
Rows = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Followers:
    """What was heard last votes for what is played next after it.

    Attributes
    ----------
    follows : csr_array, shape (n_items, n_items)
        Row by row how much other items follow one.
    """

    follows: sparse.csr_array
    name: str = "followers"

    def scores(self, histories: Histories) -> Floats:
        """As `Recommender.scores`."""
        return np.asarray((_lately_of(histories) @ self.follows).toarray())


def fit_followers(plays: Plays, n_followers: int) -> Followers:
    """Return the method with those that follow each item most."""
    heard, sessions = _in_sessions(plays)
    table = follow_table(sessions, heard.items, plays.n_items)
    return Followers(table_of(nearest_of(table, n_followers)))


@dataclass(frozen=True, eq=False)
class SessionsAlike:
    """Sessions like the present one vote for what is in them.

    The later an item was heard in the present session, the more it counts (V-SKNN:
    Ludewig and Jannach 2018).

    Attributes
    ----------
    units : csr_array, shape (n_sessions, n_items)
        Rows of unit length.
    """

    units: sparse.csr_array
    n_neighbours: int
    name: str = "sessions alike"

    def scores(self, histories: Histories) -> Floats:
        """As `Recommender.scores`."""
        alike = (unit_rows(_lately_of(histories)) @ self.units.T).tocsr()
        for first, last in zip(alike.indptr[:-1], alike.indptr[1:], strict=True):
            says = alike.data[first:last]
            if len(says) > self.n_neighbours:
                least = np.partition(says, -self.n_neighbours)[-self.n_neighbours]
                says[says < least] = 0.0
        return np.asarray((alike @ self.units).toarray())


def fit_sessions_alike(plays: Plays, n_neighbours: int) -> SessionsAlike:
    """Return the method with all sessions of two plays and more."""
    heard, sessions = _in_sessions(plays)
    n_sessions = int(sessions.max(initial=-1)) + 1
    ones = np.ones(len(sessions))
    shape = (n_sessions, plays.n_items)
    table = sparse.csr_array((ones, (sessions, heard.items)), shape)
    table.data[:] = 1.0
    longer = np.diff(table.indptr) > 1
    return SessionsAlike(unit_rows(table[longer]), n_neighbours)


@dataclass(frozen=True, eq=False)
class OfSession:
    """A method that is asked about the last session of each listener, and no more."""

    method: Recommender

    @property
    def name(self) -> str:
        """What reports call it."""
        return f"{self.method.name} of the session"

    def scores(self, histories: Histories) -> Floats:
        """As `Recommender.scores`."""
        return self.method.scores(last_sessions(histories))


def last_sessions(histories: Histories) -> Histories:
    """Return what was heard in the last session of each listener."""
    table, last_s = histories.table.copy(), histories.last_s.copy()
    for row, (first, last) in enumerate(_spans(last_s)):
        at_s = last_s.data[first:last]
        began_s = _began_s(at_s)
        gone = last_s.indices[first:last][at_s < began_s]
        at_s[at_s < began_s] = 0
        span = slice(table.indptr[row], table.indptr[row + 1])
        table.data[span][np.isin(table.indices[span], gone)] = 0.0
    table.eliminate_zeros()
    last_s.eliminate_zeros()
    return Histories(table, last_s)


def _began_s(at_s: NDArray[np.int64]) -> int:
    """Return when the last session of plays at some seconds began."""
    if not len(at_s):
        return 0
    by_time = np.sort(at_s)
    begins = np.flatnonzero(np.diff(by_time) > SESSION_GAP_S)
    return int(by_time[begins[-1] + 1 if len(begins) else 0])


def _lately_of(histories: Histories) -> sparse.csr_array:
    """Return listeners by items, of what was heard last, weighted by `recency`."""
    table, last_s = histories.table, histories.last_s
    rows, items, says = list[int](), list[int](), list[float]()
    for row, (first, last) in enumerate(_spans(last_s)):
        span = slice(table.indptr[row], table.indptr[row + 1])
        liked = table.indices[span][table.data[span] > 0]
        is_liked = np.isin(last_s.indices[first:last], liked)
        at_s = last_s.data[first:last][is_liked]
        heard = last_s.indices[first:last][is_liked]
        order = np.lexsort((heard, at_s))[::-1]
        by_time = zip(at_s[order].tolist(), heard[order].tolist(), strict=True)
        found = last_of_session(by_time, float(at_s.max(initial=0)))
        weights = recency(len(found))
        rows += [row] * len(found)
        items += found
        says += (weights / weights.sum()).tolist() if found else []
    at = (np.array(rows, dtype=np.intp), np.array(items, dtype=np.intp))
    return sparse.csr_array((np.array(says, dtype=np.float64), at), table.shape)


def _spans(table: sparse.csr_array) -> Iterator[tuple[int, int]]:
    return zip(table.indptr[:-1].tolist(), table.indptr[1:].tolist(), strict=True)


def _in_sessions(plays: Plays) -> tuple[Plays, NDArray[np.int64]]:
    """Return the plays that say something for an item, and the session of each."""
    heard = plays.heard_out()
    return heard, sessions_of(heard.listeners, heard.at_s)
