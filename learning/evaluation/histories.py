"""One listener's archived events, as the stream would know them at any moment.

Whatever is asked as of a play is answered from the entries that happened before its
first event. The list of that moment is made from the very `Known` that the stream
makes, but what the days before today say is made once a date.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from datetime import date
from functools import cached_property
from operator import attrgetter
from typing import Final, NamedTuple

from models.days import DayTaste, PastTaste, day_taste, past_taste
from models.listens import PLAY_ACTIONS, Entry, distinct_entries, words_of
from segue.settings import TasteSettings
from segue.track_index import TrackIndex
from streaming.tastes import Known, oldest_needed

_TIME: Final = attrgetter("event_time")


class ReplayedPlay(NamedTuple):
    """A play of the replayed dates.

    Attributes
    ----------
    weight : float
        What its last word says; 0: nothing.
    n_before : int
        How many of the listener's entries happened before its first.
    n_heard : int
        How many tracks had been played by then; copies of a recording are one.
    is_discovery : bool
        Whether this one had not.
    """

    track_id: str
    weight: float
    n_before: int
    n_heard: int
    is_discovery: bool


class History:
    """A listener's entries by time.

    Parameters
    ----------
    entries : iterable of Entry
        With the tracks' ids of today, in any order; copies count once.
    """

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries = distinct_entries(entries)
        self._past: dict[TasteSettings, tuple[date, PastTaste]] = {}

    def plays(
        self, first: date, last: date, recording_of: Callable[[str], Hashable]
    ) -> Iterator[ReplayedPlay]:
        """Yield the plays that began in these dates, in the order of their beginnings.

        Parameters
        ----------
        recording_of : callable
            What two tracks of the same recording have in common.
        """
        first_place: dict[Hashable, int] = {}
        for place, entry in enumerate(self.entries):
            if entry.action in PLAY_ACTIONS:
                first_place.setdefault(recording_of(entry.track_id), place)
        places = sorted(first_place.values())
        for of_play in self._by_play().values():
            began_at = of_play[0].event_time
            if first <= began_at.date() <= last:
                said = words_of(of_play).plays
                track_id = said[0].track_id if said else of_play[-1].track_id
                n_before = bisect_left(self.entries, began_at, key=_TIME)
                yield ReplayedPlay(
                    track_id,
                    said[0].weight if said else 0.0,
                    n_before,
                    bisect_left(places, n_before),
                    first_place[recording_of(track_id)] >= n_before,
                )

    def known_before(
        self, n_before: int, settings: TasteSettings, index: TrackIndex
    ) -> Known:
        """Return what the first `n_before` entries say: what `known_of` says of them.

        Parameters
        ----------
        n_before : int
            At least 1.
        """
        newest_at = self.entries[n_before - 1].event_time
        oldest = oldest_needed(newest_at, settings)
        start = bisect_left(self.entries, oldest, key=_TIME)
        past = self._past_of(newest_at.date(), settings, index)
        return Known(self.entries[start:n_before], past)

    def _past_of(
        self, today: date, settings: TasteSettings, index: TrackIndex
    ) -> PastTaste:
        held = self._past.get(settings)
        if held is None or held[0] != today:
            held = today, past_taste(self._days, today, settings, index)
            self._past[settings] = held
        return held[1]

    @cached_property
    def _days(self) -> Mapping[date, DayTaste]:
        """What each date says; `past_taste` passes over today and what follows."""
        by_day: dict[date, list[Entry]] = defaultdict(list)
        for entry in self.entries:
            by_day[entry.event_time.date()].append(entry)
        return {day: day_taste(each) for day, each in by_day.items()}

    def _by_play(self) -> Mapping[str, list[Entry]]:
        plays: dict[str, list[Entry]] = defaultdict(list)
        for entry in self.entries:
            if entry.action in PLAY_ACTIONS:
                plays[entry.play_id].append(entry)
        return plays
