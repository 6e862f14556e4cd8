"""Spans of `activity`, written whole: from the archive, or as sums of shorter ones.

The shortest span that is kept of a date is counted from its events, longer ones are
sums. Who counts holds the date, as does who adds events to it or takes some out: so
what is written last has seen all that is there.
"""

import operator
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import reduce
from itertools import groupby
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from pymongo import DeleteMany, ReplaceOne
from pymongo.database import Database

from segue import store
from segue.activity import Cells, Kind, Level, added, cells_of, documents, empty
from segue.clock import Clock, system_clock
from segue.settings import Settings
from segue.store import Document
from streaming.activity_due import Due, note_due, when_due
from streaming.archive_files import FOLDER, files_of, finish_merging, held, place_of
from streaming.counting import COLUMNS, Facts, Spans, count_spans

KEPT: Final = {Level.MINUTE: timedelta(days=2), Level.HOUR: timedelta(days=90)}
"""For how long after its start a span is there; longer ones stay."""
_LONGER: Final = {
    Level.MINUTE: Level.HOUR,
    Level.HOUR: Level.DAY,
    Level.DAY: Level.MONTH,
}
_SHORTER: Final = {longer: shorter for shorter, longer in _LONGER.items()}
_DAY: Final = timedelta(days=1)
# events that are counted together, each of up to 64 KiB; how many are read at a time;
# and bytes of spans that are added up together
_ROWS: Final = 500_000
_EVENT_BYTES: Final = 256 << 20
_BATCH_ROWS: Final = 16_384
_SUM_BYTES: Final = 64 << 20
_IDS: Final = 5_000


def counted_level(day: date, now: datetime) -> Level:
    """Return the shortest level of which a span of the date may still be there.

    Examples
    --------
    >>> counted_level(date(2026, 5, 3), datetime(2026, 5, 5, 23, 59, tzinfo=UTC)).value
    'minute'
    >>> counted_level(date(2026, 5, 3), datetime(2026, 5, 6, tzinfo=UTC)).value
    'hour'
    """
    end = datetime.combine(day, time(), UTC) + _DAY
    there = (level for level, kept in KEPT.items() if now < end + kept)
    return next(there, Level.DAY)


def spans_at(times: pa.ChunkedArray, level: Level) -> list[datetime]:
    """Return the starts of the spans in which some times lie, in order."""
    at_s = pc.floor_temporal(times, unit=level.value).cast(pa.timestamp("s", "UTC"))
    return [at.astimezone(UTC) for at in sorted(pc.unique(at_s).to_pylist())]


@dataclass(frozen=True, slots=True)
class Activity:
    """Writes spans.

    Attributes
    ----------
    folder : Path
        Of the archive.
    hours_wait_s : float
        As in the settings.
    """

    database: Database[Document]
    folder: Path
    hours_wait_s: float
    clock: Clock

    def count_at(self, day: date, times: pa.ChunkedArray) -> None:
        """Write the spans of a date anew in which some times lie.

        Whoever calls holds the date.
        """
        level = counted_level(day, self.clock())
        self.count(day, level, spans_at(times, level))

    def count(self, day: date, level: Level, starts: Iterable[datetime]) -> None:
        """Write spans of a date anew from its events; whoever calls holds the date."""
        place = place_of(self.folder, day)
        finish_merging(place)
        files = files_of(place)
        # not more than an hour's events at a time, where there may be very many
        for _, group in groupby(sorted(starts), Level.HOUR.start_of):
            some = [*group]
            spans = self._counted(files, level, some) if files else {}
            there = {start for start, _ in spans}
            for start in there:
                told = {kind: spans.get((start, kind), empty()) for kind in Kind}
                self._write(level, start, told)
            self._delete(level, set(some) - there)
            self._note_longer(level, some)
        # a worker lives for months, and would keep what its fullest hour has taken
        pa.default_memory_pool().release_unused()

    def renew(self, level: Level, start: datetime) -> None:
        """Write a span anew: the sum of shorter ones, or from events without them."""
        if not self._add_up(level, start):
            day = start.date()
            with held(self.folder, day.isoformat()):
                self.count(day, level, [start])

    def note_at(self, day: date, times: pa.ChunkedArray) -> list[Due]:
        """Say that the spans of a date in which some times lie are to be counted."""
        now = self.clock()
        level = counted_level(day, now)
        return note_due(self.database, level, spans_at(times, level), now)

    def _note_longer(self, level: Level, starts: Iterable[datetime]) -> None:
        # after the spans are written: noted before, a sum might be made, and its note
        # be taken away, without them. Who is killed in between writes, and notes, again
        if level in _LONGER:
            longer = _LONGER[level]
            due_at = when_due(longer, self.hours_wait_s, self.clock())
            due = {longer.start_of(start) for start in starts}
            note_due(self.database, longer, due, due_at)

    def _counted(self, files: list[str], level: Level, starts: list[datetime]) -> Spans:
        parts: dict[tuple[datetime, Kind], list[Cells]] = defaultdict(list)
        dataset = ds.dataset(files, format="parquet")
        found = dataset.to_batches(
            columns=[*COLUMNS],
            filter=_within(starts, level),
            batch_size=_BATCH_ROWS,
            batch_readahead=1,
            fragment_readahead=1,
        )
        for events in _in_tables(found):
            facts = read_facts(self.database, pc.unique(events["track_id"]).to_pylist())
            for each, cells in count_spans(events, level, facts).items():
                parts[each].append(cells)
        return {each: added(some) for each, some in parts.items()}

    def _add_up(self, level: Level, start: datetime) -> bool:
        """Write a span as a sum; return whether all that it is the sum of was there."""
        shorter = _SHORTER.get(level)
        if shorter is None:
            return False
        total = self._sum(shorter, start, level.end_of(start))
        # by now they may be gone, one after the other
        if shorter in KEPT and self.clock() >= start + KEPT[shorter]:
            return False
        self._write(level, start, total)
        self._note_longer(level, [start])
        return True

    def _sum(self, level: Level, start: datetime, end: datetime) -> dict[Kind, Cells]:
        wanted = {
            "level": level,
            "kind": {"$in": [*Kind]},
            "start": {"$gte": start, "$lt": end},
        }
        read: dict[Kind, list[Cells]] = {kind: [] for kind in Kind}
        n_bytes = 0
        for document in self.database[store.ACTIVITY].find(wanted):
            read[Kind(document["kind"])].append(cells_of(document))
            n_bytes += len(document["ended_at"]) + len(document["listeners"]["content"])
            if n_bytes > _SUM_BYTES:
                read = {kind: [added(some)] for kind, some in read.items()}
                n_bytes = 0
        return {kind: added(some) for kind, some in read.items()}

    def _delete(self, level: Level, starts: Collection[datetime]) -> None:
        if starts:
            gone = {"kind": {"$in": [*Kind]}, "start": {"$in": [*starts]}}
            self.database[store.ACTIVITY].delete_many({"level": level, **gone})

    def _write(self, level: Level, start: datetime, told: Mapping[Kind, Cells]) -> None:
        """Write what a span says of some kinds; parts that it no longer has go."""
        more = {"updated_at": self.clock()}
        if level in KEPT:
            more["expires_at"] = start + KEPT[level]
        written = [
            document
            for kind, cells in told.items()
            if len(cells)
            for document in documents(level, start, kind, cells, more)
        ]
        gone = {
            "level": level,
            "kind": {"$in": [*told]},
            "start": start,
            "_id": {"$nin": [document["_id"] for document in written]},
        }
        requests = [ReplaceOne({"_id": d["_id"]}, d, upsert=True) for d in written]
        self.database[store.ACTIVITY].bulk_write(
            [*requests, DeleteMany(gone)], ordered=False
        )


def activity_of(
    settings: Settings, database: Database[Document], clock: Clock = system_clock
) -> Activity:
    """Return the writer for the archive of these settings."""
    folder, wait_s = settings.home / FOLDER, settings.stream.hours_wait_s
    return Activity(database, folder, wait_s, clock)


def read_facts(database: Database[Document], track_ids: list[str]) -> dict[str, Facts]:
    """Return what the catalogue says of those tracks that it knows."""
    facts: dict[str, Facts] = {}
    for first in range(0, len(track_ids), _IDS):
        wanted = {"_id": {"$in": track_ids[first : first + _IDS]}}
        for track in database[store.TRACKS].find(wanted, ("artist_id", "genre_ids")):
            genre_ids = tuple(track.get("genre_ids") or ())
            facts[track["_id"]] = Facts(track.get("artist_id"), genre_ids)
    return facts


def _within(starts: list[datetime], level: Level) -> pc.Expression:
    """Return the condition of an event that lies in one of some spans, in order."""
    at = pc.field("event_time")
    runs: list[list[datetime]] = []
    for start in starts:
        if runs and runs[-1][1] == start:
            runs[-1][1] = level.end_of(start)
        else:
            runs.append([start, level.end_of(start)])
    return reduce(operator.or_, [(at >= start) & (at < end) for start, end in runs])


def _in_tables(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    some: list[pa.RecordBatch] = []
    for batch in batches:
        some.append(batch)
        n_bytes = sum(each.nbytes for each in some)
        if sum(map(len, some)) >= _ROWS or n_bytes >= _EVENT_BYTES:
            yield pa.Table.from_batches(some)
            some = []
    if some:
        yield pa.Table.from_batches(some)
