"""The days that are over, in MongoDB: each as one document, and their sums.

Panes are the truth. `taste_days` has what a listener's entries of one date say;
`taste_past` what all days before today say together, so that a micro-batch reads one
document a listener, however long their history. Whoever writes a pane of a day that is
over, or the first of a new day, makes the day's document and the sums anew. Several may
do so at a time: each takes a number first, `generation`, then reads the panes, and the
sums stay only if nobody has taken a number since.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, NamedTuple

from pymongo import ReturnDocument, UpdateOne
from pymongo.database import Database

from models.days import DayTaste, PastTaste, day_taste, no_past, past_taste
from models.listens import Entry
from segue import store
from segue.errors import StreamError
from segue.settings import Settings
from segue.store import Document
from segue.track_index import TrackIndex
from segue.track_names import find_by_name_id, is_name_id
from streaming.forget_rules import Rules
from streaming.panes import read_panes_between, without_forgotten
from streaming.past_documents import (
    day_document,
    day_in,
    past_document,
    past_in,
)

_DAY: Final = timedelta(days=1)


class Wanted(NamedTuple):
    """Of one listener: the date of their newest event, and where panes were written."""

    today: date
    written: frozenset[date]


def read_past(
    database: Database[Document],
    wanted: Mapping[str, Wanted],
    rules: Rules,
    index: TrackIndex,
    settings: Settings,
) -> dict[str, PastTaste]:
    """Return what the days before today say of each listener, up to date.

    The panes in `wanted` have been written.
    """
    ids = {"_id": {"$in": list(wanted)}}
    stored = {each["_id"]: each for each in database[store.TASTE_PAST].find(ids)}
    unsummed = {
        user: _span(stored.get(user), each.today)
        for user, each in wanted.items()
        if _is_behind(stored.get(user), each.today)
    }
    with_panes = _dates_with_panes(database, unsummed)
    past: dict[str, PastTaste] = {}
    new: list[str] = []
    for user, each in wanted.items():
        dates = each.written | with_panes.get(user, set())
        past_of = _Past(database, user, rules, index, settings)
        if user not in stored and not any(day < each.today for day in dates):
            new.append(user)
            past[user] = no_past(index.vectors.shape[1])
        else:
            past[user] = past_of.read(stored.get(user), each.today, dates)
    _remember_new(database, new, wanted, index)
    return past


def renew_past(
    database: Database[Document],
    user_id: str,
    rules: Rules,
    index: TrackIndex,
    settings: Settings,
) -> None:
    """Make all that is over of a listener anew, out of the panes."""
    document = database[store.TASTE_PAST].find_one({"_id": user_id})
    if document is not None:
        days = database[store.TASTE_DAYS].find({"user_id": user_id}, ("day",))
        dates = {each["day"].date() for each in days}
        past_of = _Past(database, user_id, rules, index, settings)
        past_of.renew(document["day"].date(), dates)


def _is_behind(document: Document | None, today: date) -> bool:
    sums = None if document is None else document.get("sums")
    return sums is None or sums["day"].date() < today


def _span(document: Document | None, today: date) -> tuple[datetime | None, datetime]:
    """Return from when until when dates may not be summed yet."""
    sums = None if document is None else document.get("sums")
    return None if sums is None else sums["day"], _midnight(today)


def _dates_with_panes(
    database: Database[Document],
    spans: Mapping[str, tuple[datetime | None, datetime]],
) -> Mapping[str, set[date]]:
    """Return the dates within each listener's span of which there are panes."""
    if not spans:
        return {}
    starts = [since for since, _ in spans.values()]
    last = max(until for _, until in spans.values())
    bounds: Document = {"$lt": last}
    if None not in starts:
        bounds["$gte"] = min(filter(None, starts))
    found: dict[str, set[date]] = defaultdict(set)
    # answered by the index alone
    fields = {"_id": 0, "user_id": 1, "window_start": 1}
    wanted = {"user_id": {"$in": list(spans)}, "window_start": bounds}
    for pane in database[store.TASTE_WINDOWS].find(wanted, fields):
        since, until = spans[pane["user_id"]]
        if pane["window_start"] < until and (
            since is None or since <= pane["window_start"]
        ):
            found[pane["user_id"]].add(pane["window_start"].date())
    return found


def _remember_new(
    database: Database[Document],
    user_ids: Iterable[str],
    wanted: Mapping[str, Wanted],
    index: TrackIndex,
) -> None:
    """Write that these have no past, so that it need not be looked for again."""
    nothing = no_past(index.vectors.shape[1])
    requests = [
        UpdateOne(
            {"_id": user_id},
            {
                "$setOnInsert": {
                    "generation": 0,
                    "day": (day := _midnight(wanted[user_id].today)),
                    "sums": past_document(nothing, 0, day, index),
                }
            },
            upsert=True,
        )
        for user_id in user_ids
    ]
    if requests:
        database[store.TASTE_PAST].bulk_write(requests, ordered=False)


class _Past:
    """One listener's past."""

    def __init__(
        self,
        database: Database[Document],
        user_id: str,
        rules: Rules,
        index: TrackIndex,
        settings: Settings,
    ) -> None:
        self._days, self._pasts = database[store.TASTE_DAYS], database[store.TASTE_PAST]
        self._database, self._user_id = database, user_id
        self._rules = rules.get(user_id, ())
        self._index, self._settings = index, settings

    def read(
        self, document: Document | None, today: date, dates: Set[date]
    ) -> PastTaste:
        """Return what the days before `today` say, with those of `dates` made anew."""
        newest = today if document is None else max(today, document["day"].date())
        over = {day for day in dates if day < newest}
        if document is None or over or not self._holds(document, newest):
            past = self.renew(newest, over)
        else:
            past = past_in(document["sums"])
        # all that was later has been forgotten
        return past if newest == today else self._sum(today)

    def renew(self, today: date, dates: Set[date]) -> PastTaste:
        """Make the documents of `dates`, and the sums, until nobody interferes."""
        while True:
            generation, day = self._take_number(today)
            self._write_days(dates)
            past = self._sum(day.date())
            sums = past_document(past, generation, day, self._index)
            is_mine = {"_id": self._user_id, "generation": generation}
            done = self._pasts.update_one(is_mine, {"$set": {"sums": sums}})
            if done.matched_count:
                return past if day.date() == today else self._sum(today)

    def _take_number(self, today: date) -> tuple[int, datetime]:
        """Return the number of this writer, and the newest day that anybody knows."""
        taken = self._pasts.find_one_and_update(
            {"_id": self._user_id},
            {"$inc": {"generation": 1}, "$max": {"day": _midnight(today)}},
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )
        if taken is None:  # an upsert returns what it has written
            raise StreamError("MongoDB returned no document of an upsert")
        return taken["generation"], taken["day"]

    def _holds(self, document: Document, today: date) -> bool:
        """Whether the stored sums are those of day, index and last writer."""
        sums = document.get("sums")
        if sums is None or sums["generation"] != document["generation"]:
            return False
        is_same = sums["index_version"] == self._index.version
        is_heir = sums["lineage"] == self._index.lineage and not sums["n_unknown"]
        return bool(sums["day"].date() == today and (is_same or is_heir))

    def _sum(self, today: date) -> PastTaste:
        found = self._days.find({"user_id": self._user_id})
        days = {each["day"].date(): day_in(each) for each in found}
        names = {t for x in days.values() for t in x.plays if is_name_id(t)}
        aliases = find_by_name_id(self._database, names) if names else {}
        return past_taste(days, today, self._settings.taste, self._index, aliases)

    def _write_days(self, dates: Set[date]) -> None:
        """Make the documents of these dates out of all panes of theirs."""
        entries: dict[date, list[Entry]] = {day: [] for day in dates}
        for first, last in _runs(dates):
            span = _midnight(first), _midnight(last + _DAY)
            for pane in read_panes_between(self._database, self._user_id, *span):
                kept = without_forgotten(pane, self._rules)
                entries.get(pane.window_start.date(), []).extend(kept.entries)
        says = {day: day_taste(each) for day, each in entries.items()}
        spoken = {day: each for day, each in says.items() if _says(each)}
        documents = [day_document(self._user_id, *each) for each in spoken.items()]
        store.upsert(self._database, store.TASTE_DAYS, documents)
        silent = [_midnight(day) for day in says.keys() - spoken.keys()]
        if silent:
            gone = {"user_id": self._user_id, "day": {"$in": silent}}
            self._days.delete_many(gone)


def _says(day: DayTaste) -> bool:
    return bool(day.plays or day.reactions or day.blocks)


def _runs(dates: Iterable[date]) -> Iterator[tuple[date, date]]:
    """Yield first and last of each unbroken run of dates."""
    run: list[date] = []
    for day in sorted(dates):
        if run and day - run[-1] > _DAY:
            yield run[0], run[-1]
            run = []
        run.append(day)
    if run:
        yield run[0], run[-1]


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
