"""What is learned from, tuned on and judged by: past, present and future.

The split is global: no play of the past is later than one of the future, whoever played
it. So nothing that a method learns from lies behind what it is asked for.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from learning.evaluation.datasets import Dataset
from models.followers import sessions_of
from models.recommenders.plays import Plays

_SEED: Final = 11


@dataclass(frozen=True, eq=False)
class Split:
    """Plays in three periods.

    Attributes
    ----------
    past : Plays
        Learned from.
    present : Plays
        Tuned on, then learned from, too.
    future : Plays
        Judged by.
    how : str
        `time`, or `random` where the data knows no times.
    """

    past: Plays
    present: Plays
    future: Plays
    how: str


def split(dataset: Dataset, present_share: float, future_share: float) -> Split:
    """Return the plays in three periods, the latest the future.

    Of data without times, each play falls into one of them by lot.

    Parameters
    ----------
    present_share, future_share : float
        Of all plays.
    """
    plays = dataset.plays
    n = len(plays.weights)
    if dataset.has_times:
        place = _places(plays.at_s)
    else:
        place = np.random.default_rng(_SEED).permutation(n)
    first_future = n - round(n * future_share)
    first_present = first_future - round(n * present_share)
    return Split(
        plays.pick(place < first_present),
        plays.pick((place >= first_present) & (place < first_future)),
        plays.pick(place >= first_future),
        "time" if dataset.has_times else "random",
    )


def _places(at_s: NDArray[np.int64]) -> NDArray[np.intp]:
    """Return the place of each play by time; of the same second all have the first."""
    return np.searchsorted(np.sort(at_s), at_s)


def begun_sessions(after: Plays, n_begun: Callable[[int], int]) -> tuple[Plays, Plays]:
    """Return how the first session of each listener begins, and how it goes on.

    Of the first session of a period in which somebody hears out two items or more.

    Parameters
    ----------
    n_begun : callable
        Takes how many plays a session has, and returns how many of them are its
        beginning.
    """
    heard = after.heard_out()
    sessions = sessions_of(heard.listeners, heard.at_s)
    lengths = np.bincount(sessions)
    starts = np.cumsum(lengths) - lengths
    long = np.flatnonzero(_n_distinct(sessions, heard.items) > 1)
    _, firsts = np.unique(heard.listeners[starts[long]], return_index=True)
    begun, rest = [], []
    for each in long[firsts]:
        places = np.arange(starts[each], starts[each] + lengths[each])
        n = n_begun(len(places))
        begun.append(places[:n])
        rest.append(places[n:])
    none = np.empty(0, dtype=np.intp)
    return (
        heard.take(np.concatenate([*begun, none])),
        heard.take(np.concatenate([*rest, none])),
    )


def _n_distinct(
    sessions: NDArray[np.int64], items: NDArray[np.int32]
) -> NDArray[np.int64]:
    pairs = np.unique(np.stack([sessions, items]), axis=1)
    return np.bincount(pairs[0], minlength=int(sessions.max(initial=-1)) + 1)


def together(first: Plays, second: Plays) -> Plays:
    """Return the plays of two periods."""
    return Plays(
        np.concatenate([first.listeners, second.listeners]),
        np.concatenate([first.items, second.items]),
        np.concatenate([first.weights, second.weights]),
        np.concatenate([first.at_s, second.at_s]),
        first.n_listeners,
        first.n_items,
        np.concatenate([_is_play(first), _is_play(second)]),
    )


def _is_play(plays: Plays) -> NDArray[np.bool_]:
    return np.ones(len(plays.items), bool) if plays.is_play is None else plays.is_play
