"""Test, then train: the lists that listeners had before each play, and where it stood.

Lists of many listeners are made together: a round is of one play of each of them.
"""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from learning.evaluation.histories import History, ReplayedPlay
from learning.evaluation.rankers import Ranker
from models.groups import TrackGroups
from models.learned import Learned
from models.listens import Entry
from models.plans import Request
from models.ranking import rank
from segue.settings import TasteSettings
from segue.track_index import TrackIndex
from streaming.tastes import request_of, says_something

Rows = NDArray[np.int32]
_Asked = Sequence[tuple["Listener", ReplayedPlay]]


class Place(StrEnum):
    """Where the played track was; each play is in one of these."""

    IN_LIST = "n_in_list"
    MISSED = "n_missed"
    EXCLUDED = "n_excluded"
    NOT_INDEXED = "n_not_indexed"
    COLD_START = "n_cold_start"


@dataclass(frozen=True, eq=False)
class Stage:
    """What lists are made with; what of a model each ranker uses, by its name."""

    index: TrackIndex
    groups: TrackGroups
    learned: Mapping[str, Learned | None]

    def recording_of(self, track_id: str) -> Hashable:
        """Return what the tracks of one recording have in common."""
        row = self.index.row_of.get(track_id)
        return track_id if row is None else int(self.groups.recording.numbers[row])


@dataclass(frozen=True, eq=False)
class Listener:
    """A listener whose plays are replayed.

    Attributes
    ----------
    plays : list of ReplayedPlay
        Those that say something.
    n_silent : int
        How many others there are.
    """

    user_id: str
    history: History
    plays: list[ReplayedPlay]
    n_silent: int
    list_before: dict[str, Rows] = field(default_factory=dict)


class Judged(NamedTuple):
    """A list of one ranker, made before a play, and the play.

    Attributes
    ----------
    rows : ndarray, int32
        Of the list's tracks in the index, best first.
    rank : int or None
        Of the played track, or another of its recording.
    freshness : float or None
        The share of the list that was not in the one before it; None where there was
        none before, or none now.
    """

    user_id: str
    ranker: str
    play: ReplayedPlay
    rows: Rows
    rank: int | None
    place: Place
    freshness: float | None


def create_listener(
    user_id: str, entries: Iterable[Entry], first: date, last: date, stage: Stage
) -> Listener:
    """Return a listener and the plays that began in these dates."""
    history = History(entries)
    found = list(history.plays(first, last, stage.recording_of))
    saying = [play for play in found if play.weight != 0]
    return Listener(user_id, history, saying, len(found) - len(saying))


def replayed(
    listeners: Sequence[Listener], rankers: Sequence[Ranker], stage: Stage
) -> Iterator[Judged]:
    """Yield each ranker's list before each play; those of a listener by time."""
    n_rounds = max((len(each.plays) for each in listeners), default=0)
    for number in range(n_rounds):
        going_on = [each for each in listeners if number < len(each.plays)]
        asked = [(each, each.plays[number]) for each in going_on]
        requests: dict[TasteSettings, list[Request | None]] = {}
        for ranker in rankers:
            if ranker.taste not in requests:
                requests[ranker.taste] = _requests(asked, ranker.taste, stage)
            yield from _judged(asked, requests[ranker.taste], ranker, stage)


def _requests(
    asked: _Asked, settings: TasteSettings, stage: Stage
) -> list[Request | None]:
    return [
        _request(listener, play.n_before, settings, stage) for listener, play in asked
    ]


def _request(
    listener: Listener, n_before: int, settings: TasteSettings, stage: Stage
) -> Request | None:
    if not n_before:
        return None
    known = listener.history.known_before(n_before, settings, stage.index)
    if not says_something(known):
        return None
    return request_of(listener.user_id, known, settings, stage.index, stage.groups)


def _judged(
    asked: _Asked, requests: Sequence[Request | None], ranker: Ranker, stage: Stage
) -> Iterator[Judged]:
    wanted = [request for request in requests if request is not None]
    learned = stage.learned[ranker.name]
    ranked = iter(rank(wanted, stage.index, stage.groups, ranker.taste, learned))
    row_of = stage.index.row_of
    for (listener, play), request in zip(asked, requests, strict=True):
        listed = [] if request is None else next(ranked).rows
        rows = np.array([row_of[each.track_id] for each in listed], dtype=np.int32)
        at = _rank_of(play.track_id, rows, stage)
        place = Place.IN_LIST if at else _why_not(play.track_id, rows, request, row_of)
        fresh = _freshness(rows, listener.list_before.get(ranker.name))
        listener.list_before[ranker.name] = rows
        yield Judged(listener.user_id, ranker.name, play, rows, at, place, fresh)


def _rank_of(track_id: str, rows: Rows, stage: Stage) -> int | None:
    row = stage.index.row_of.get(track_id)
    if row is None:
        return None
    numbers = stage.groups.recording.numbers
    same = np.flatnonzero(numbers[rows] == numbers[row])
    return int(same[0]) + 1 if len(same) else None


def _why_not(
    track_id: str, rows: Rows, request: Request | None, row_of: Mapping[str, int]
) -> Place:
    if track_id not in row_of:
        return Place.NOT_INDEXED
    if request is None or not len(rows):
        return Place.COLD_START
    is_out = bool((request.excluded == row_of[track_id]).any())
    return Place.EXCLUDED if is_out else Place.MISSED


def _freshness(rows: Rows, before: Rows | None) -> float | None:
    if before is None or not len(before) or not len(rows):
        return None
    return float((~np.isin(rows, before)).mean())
