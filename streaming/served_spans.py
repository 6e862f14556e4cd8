"""What became of the lists that were shown, counted by span: whole, from documents.

An hour is counted from the lists that were first shown in it, as they and their
outcomes are in `shown_lists`; days and months are sums. So a batch that runs again, a
late event and what was forgotten need no arithmetic of their own.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any, Final

import numpy as np
from pymongo import DeleteMany, ReplaceOne
from pymongo.database import Database

from segue import store
from segue.activity import Level
from segue.clock import Clock
from segue.served import (
    COUNTS,
    MOST_RANKS,
    OF_ROWS,
    Counts,
    Served,
    added,
    document_of,
    no_rows,
    served_of,
)
from segue.shown import COUNTED, midnight
from segue.sketches import sketch_of
from segue.store import Document
from streaming.activity_due import Due, note_due, settle, when_due
from streaming.popularity import Popularities, Popularity

_KEPT: Final = {Level.HOUR: timedelta(days=90)}
"""For how long after its start a span is there; longer ones stay."""
_LONGER: Final = {Level.HOUR: Level.DAY, Level.DAY: Level.MONTH}
_SHORTER: Final = {longer: shorter for shorter, longer in _LONGER.items()}
_Key = tuple[str, str]
"""Surface and model."""
_Row = tuple[int, str, bool, bool]
"""Rank, part, whether explored and whether fresh."""
_Ends = tuple[bool, bool, bool]
"""Whether completed, skipped and left."""
_ROW_OF: Final[Callable[[Document], _Row]] = itemgetter(
    *("rank", "part", "explored", "is_fresh")
)
_COUNTED: Final = (
    "surface",
    "model_version",
    "rows",
    "outcomes.track_id",
    "outcomes.action",
)
_TRACK_OF: Final[Callable[[Document], str]] = itemgetter("track_id")


class ServedSpans:
    """Writes spans.

    Parameters
    ----------
    wait_s : float
        Seconds for which an hour waits for more; days twice, months four times.
    """

    def __init__(
        self, database: Database[Document], wait_s: float, clock: Clock
    ) -> None:
        self._database, self._wait_s, self._clock = database, wait_s, clock
        self._popularities = Popularities(database)

    def write_due(self, due: Due) -> None:
        """Write a span that is due, and take its note away if nobody noted it since."""
        if self._is_whole(due.level, due.start):
            if due.level is Level.HOUR:
                self._count(due.start)
            else:
                self._add_up(due.level, due.start)
            self._note_longer(due.level, due.start)
        settle(self._database, [due], store.SERVED_DUE)

    def _is_whole(self, level: Level, start: datetime) -> bool:
        """Tell whether all that a span is made of is still there.

        What it says stays as it is from then on.
        """
        now = self._clock()
        if level is Level.HOUR:
            return now < start + COUNTED
        kept = _KEPT.get(_SHORTER[level])
        return kept is None or now < start + kept

    def _count(self, start: datetime) -> None:
        popularity = self._popularities.before(midnight(start))
        end = Level.HOUR.end_of(start)
        shown = {"shown_at": {"$gte": start, "$lt": end}}
        lists = self._database[store.SHOWN_LISTS].find(shown, _COUNTED)
        told = count_lists(lists, popularity)
        self._write(Level.HOUR, start, told, {"judged_by": popularity.facts})

    def _add_up(self, level: Level, start: datetime) -> None:
        wanted = {
            "level": _SHORTER[level].value,
            "start": {"$gte": start, "$lt": level.end_of(start)},
        }
        parts: dict[_Key, list[Served]] = defaultdict(list)
        for each in self._database[store.SERVED].find(wanted).sort("start"):
            parts[each["surface"], each["model"]].append(served_of(each))
        self._write(level, start, {key: added(some) for key, some in parts.items()}, {})

    def _write(
        self,
        level: Level,
        start: datetime,
        told: Mapping[_Key, Served],
        more: Mapping[str, Any],
    ) -> None:
        stamp = {**more, "updated_at": self._clock()}
        if level in _KEPT:
            stamp["expires_at"] = start + _KEPT[level]
        written = [
            {**document_of(level, start, surface, model, served), **stamp}
            for (surface, model), served in told.items()
        ]
        gone = {
            "level": level.value,
            "start": start,
            "_id": {"$nin": [document["_id"] for document in written]},
        }
        requests = [ReplaceOne({"_id": d["_id"]}, d, upsert=True) for d in written]
        self._database[store.SERVED].bulk_write(
            [*requests, DeleteMany(gone)], ordered=False
        )

    def _note_longer(self, level: Level, start: datetime) -> None:
        # after the span is written: noted before, a sum might be made without it
        if level in _LONGER:
            longer = _LONGER[level]
            due_at = when_due(longer, self._wait_s, self._clock())
            starts = [longer.start_of(start)]
            note_due(self._database, longer, starts, due_at, store.SERVED_DUE)


def count_lists(
    lists: Iterable[Document], popularity: Popularity
) -> dict[_Key, Served]:
    """Return what became of lists, by surface and model."""
    tallies: dict[_Key, _Tally] = defaultdict(_Tally)
    for each in lists:
        key = each["surface"], each["model_version"] or ""
        tallies[key].add(each)
    return {key: each.served(popularity) for key, each in tallies.items()}


class _Tally:
    """Counts of some lists: of equal rows together, for there are many."""

    def __init__(self) -> None:
        self._n_lists = self._n_lists_hit = 0
        self._shown: Counter[_Row] = Counter()
        self._played: Counter[tuple[_Row, _Ends]] = Counter()
        self._tracks: Counter[str] = Counter()

    def add(self, shown: Document) -> None:
        """Count a list."""
        rows = shown["rows"]
        self._shown.update(map(_ROW_OF, rows))
        self._tracks.update(map(_TRACK_OF, rows))
        ends = _ends_of(shown["outcomes"])
        played = [row for row in rows if row["track_id"] in ends] if ends else []
        told = ((_ROW_OF(row), ends[row["track_id"]]) for row in played)
        self._played.update(told)
        self._n_lists += 1
        self._n_lists_hit += bool(played)

    def served(self, popularity: Popularity) -> Served:
        """Return all that was counted."""
        rows = [*self._shown, *(row for row, _ in self._played)]
        shown = [(n, 0, 0, 0, 0) for n in self._shown.values()]
        played = [
            (0, n, *(n * each for each in ends))
            for (_, ends), n in self._played.items()
        ]
        counts = np.array([*shown, *played], np.int64).reshape(-1, len(OF_ROWS))
        by_rank = np.zeros((MOST_RANKS, len(OF_ROWS)), np.int64)
        by_part: dict[str, Counts] = defaultdict(no_rows)
        by_lot = no_rows()
        for (rank, part, explored, _), each in zip(rows, counts, strict=True):
            by_part[part] += each
            if explored:
                by_lot += each
            if 1 <= rank <= MOST_RANKS:
                by_rank[rank - 1] += each
        sums, novelty_bits = self._judged(popularity)
        sums |= zip(OF_ROWS, counts.sum(axis=0).tolist(), strict=True)
        return Served(
            {name: sums[name] for name in COUNTS},
            novelty_bits,
            by_rank,
            dict(by_part),
            by_lot,
            sketch_of(sorted(self._tracks)),
            popularity.n_catalogue,
        )

    def _judged(self, popularity: Popularity) -> tuple[dict[str, int], float]:
        """Return the counts but `OF_ROWS`, and the novelty."""
        sums = {
            **{"n_lists": self._n_lists, "n_lists_hit": self._n_lists_hit},
            "n_fresh": sum(n for row, n in self._shown.items() if row[-1]),
            **{"n_judged": 0, "n_popular": 0},
        }
        if not popularity.n_plays:
            return sums, 0.0
        known = [(popularity.of(track), n) for track, n in self._tracks.items()]
        sums["n_judged"] = self._tracks.total()
        sums["n_popular"] = sum(n for each, n in known if each.is_popular)
        # exact, so that the order of the lists says nothing
        return sums, math.fsum(n * each.novelty_bits for each, n in known)


def _ends_of(outcomes: Iterable[Document]) -> dict[str, _Ends]:
    """Return how the tracks of a list that were played ended."""
    did: dict[str, set[str]] = defaultdict(set)
    for each in outcomes:
        did[each["track_id"]].add(each["action"])
    return {
        track: ("completed" in all_of, "skipped" in all_of, "left" in all_of)
        for track, all_of in did.items()
    }
