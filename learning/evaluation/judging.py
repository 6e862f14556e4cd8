"""Ask every method about every listener of the future, task by task."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from learning.evaluation.metrics import accuracy, beyond_accuracy, coverage
from models.neighbours import bm25_units
from models.recommenders.base import Recommender, best_items
from models.recommenders.hybrid import blended
from models.recommenders.plays import Histories, Plays, positive
from models.recommenders.sessions import last_sessions

HYBRID: Final = "hybrid"
DISCOVERY: Final = "discovery"
ANY: Final = "any"
NEW_ARTISTS: Final = "new artists"
K: Final = 10
"""Length of the lists that are judged."""
COLD_HEARD: Final = 5
"""Who has heard no more items, or what no more listeners have heard, is cold."""
NOTHING_HEARD: Final = "nothing_heard"
"""Beside the metrics: 1 for a listener of whom nothing is known."""
_CELLS_AT_ONCE: Final = 8_000_000

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


class Shares(NamedTuple):
    """The hybrid's, and the method that orders what it leaves equal."""

    by_task: Mapping[str, Mapping[str, float]]
    fallback: str


@dataclass(frozen=True, eq=False)
class Ground:
    """What is judged: what listeners heard, and what they play in the future.

    Attributes
    ----------
    heard : Histories
    wanted : csr_array, shape (n_listeners, n_items)
        What they like in the future.
    n_heard_by : ndarray, int64, shape (n_items,)
        How many listeners heard each item.
    units : csr_array, shape (n_items, n_listeners)
        Rows of unit length; what the same listeners hear is alike.
    artists : ndarray or None
        The artist of each item.
    n_active : int
        How many listeners `n_heard_by` is of.
    has_repeats : bool
        Whether anybody likes something in the future that they had heard.
    """

    heard: Histories
    wanted: sparse.csr_array
    n_heard_by: NDArray[np.int64]
    units: sparse.csr_array
    artists: NDArray[np.int32] | None
    n_active: int
    has_repeats: bool

    def listeners(self) -> NDArray[np.intp]:
        """Return who likes something in the future."""
        return np.flatnonzero(np.diff(self.wanted.indptr))


def ground_of(before: Plays, after: Plays, artists: NDArray[np.int32] | None) -> Ground:
    """Return the ground of two periods."""
    heard = before.histories()
    counts = np.bincount(heard.last_s.indices, minlength=before.n_items)
    units = bm25_units(positive(heard.table)).T.tocsr()
    n_active = max(1, int((np.diff(heard.last_s.indptr) > 0).sum()))
    wanted = positive(after.table())
    was_heard = heard.last_s.astype(bool)
    has_repeats = bool(wanted.astype(bool).multiply(was_heard).nnz)
    return Ground(heard, wanted, counts, units, artists, n_active, has_repeats)


TaskMaker = Callable[[Ground, NDArray[np.intp], Histories], list["Task"]]
"""Takes who is asked about and what they heard, and returns the questions."""


class Task(NamedTuple):
    """A question: which items may be in a list, and which of the future's count."""

    name: str
    excluded: Bools
    relevant: Bools


def tasks_of(ground: Ground, rows: NDArray[np.intp], history: Histories) -> list[Task]:
    """Return the questions about some listeners.

    `discovery` asks for what they had not heard, `any` for whatever they play next
    (where anybody plays something again), `new artists` for what is by an artist whom
    they had not heard.
    """
    wanted = ground.wanted[rows].toarray() > 0
    heard = history.last_s.toarray() > 0
    nothing = np.zeros_like(heard)
    tasks = [Task(DISCOVERY, heard, wanted & ~heard)]
    if ground.has_repeats:
        tasks.append(Task(ANY, nothing, wanted))
    if ground.artists is not None:
        known = _of_same_artist(heard, ground.artists)
        tasks.append(Task(NEW_ARTISTS, known, wanted & ~known))
    return tasks


def going_on(name: str) -> TaskMaker:
    """Return the question how sessions go on, whether it is known or new."""

    def tasks(ground: Ground, rows: NDArray[np.intp], history: Histories) -> list[Task]:
        wanted = ground.wanted[rows].toarray() > 0
        played = last_sessions(history).last_s.toarray() > 0
        return [Task(name, played, wanted & ~played)]

    return tasks


def _of_same_artist(heard: Bools, artists: NDArray[np.int32]) -> Bools:
    n_artists = int(artists.max()) + 1
    shape = (len(artists), n_artists)
    ones = np.ones(len(artists))
    is_by = sparse.csr_array((ones, (np.arange(len(artists)), artists)), shape)
    return np.asarray((heard.astype(np.float64) @ is_by) > 0)[:, artists]


Figures = dict[tuple[str, str, str], dict[str, Floats]]
"""By task, slice and method, each metric's values of the listeners."""


def judge_all(
    methods: Sequence[Recommender],
    shares: Shares,
    ground: Ground,
    ask: TaskMaker = tasks_of,
    at_once: int | None = None,
) -> tuple[Figures, dict[tuple[str, str], float]]:
    """Return the figures of all methods and of the hybrid, and each one's coverage.

    Parameters
    ----------
    at_once : int, optional
        Listeners whose scores are in memory together; else as many as fit.
    """
    parts: dict[tuple[str, str, str], list[dict[str, Floats]]] = defaultdict(list)
    listed: dict[tuple[str, str], list[NDArray[np.int32]]] = defaultdict(list)
    n_items = ground.wanted.shape[1]
    size = at_once or max(1, _CELLS_AT_ONCE // n_items)
    for rows in _blocks(ground.listeners(), size):
        history = ground.heard.pick(rows)
        scores = {each.name: each.scores(history) for each in methods}
        for task in ask(ground, rows, history):
            ours = blended(scores, shares.by_task[task.name], shares.fallback)
            for name, each in [*scores.items(), (HYBRID, ours)]:
                lists = best_items(each, K, task.excluded, rows)
                listed[task.name, name].append(lists)
                for part, told in _sliced(lists, task, ground, history):
                    parts[task.name, part, name].append(told)
    figures = {key: _joined(blocks) for key, blocks in parts.items()}
    covered = {
        key: coverage(np.concatenate(lists), n_items) for key, lists in listed.items()
    }
    return figures, covered


def _joined(blocks: Sequence[Mapping[str, Floats]]) -> dict[str, Floats]:
    return {name: np.concatenate([each[name] for each in blocks]) for name in blocks[0]}


def _sliced(
    lists: NDArray[np.int32],
    task: Task,
    ground: Ground,
    history: Histories,
) -> Iterator[tuple[str, dict[str, Floats]]]:
    """Yield the figures of all listeners, of warm and cold ones, and of cold items."""
    n_heard = np.diff(history.last_s.indptr)
    everybody = np.ones(len(lists), dtype=bool)
    cold_items = task.relevant & (ground.n_heard_by <= COLD_HEARD)
    for part, chosen, relevant in (
        ("all", everybody, task.relevant),
        ("warm", n_heard > COLD_HEARD, task.relevant),
        ("cold", n_heard <= COLD_HEARD, task.relevant),
        ("cold items", everybody, cold_items),
    ):
        asked = np.flatnonzero(chosen & relevant.any(axis=1))
        told = accuracy(lists[asked], relevant[asked])
        told[NOTHING_HEARD] = (n_heard[asked] == 0).astype(np.float64)
        if part == "all":
            heard = history.last_s[asked].toarray() > 0
            told |= beyond_accuracy(
                lists[asked], ground.n_heard_by, ground.n_active, heard, ground.units
            )
        yield part, told


def _blocks(rows: NDArray[np.intp], size: int) -> Iterator[NDArray[np.intp]]:
    for first in range(0, len(rows), size):
        yield rows[first : first + size]
