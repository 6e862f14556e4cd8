"""Bring listeners up to date in MongoDB, on the workers.

A worker takes the panes that changed and writes them; then it reads what else is known
of their listeners, panes of the last day and sums of the days before, and writes tastes
and lists. Everything is written by `_id`.
"""

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Final, NamedTuple

import pyarrow as pa
from pymongo.database import Database
from pyspark.sql.pandas.types import to_arrow_schema

from segue import store
from segue.clock import Clock, system_clock
from segue.delays import Slots
from segue.settings import Settings
from segue.store import Document
from segue.track_index import TrackIndex, read_track_index
from segue.track_names import find_by_name_id
from streaming.columns import in_groups
from streaming.delays import delays_of, note_delays
from streaming.due import note_due, read_due, settle_due
from streaming.facts import read_groups, read_learned
from streaming.forget_rules import read_rules
from streaming.known import newest_of, read_known, remembered_panes, with_stored
from streaming.panes import (
    Panes,
    names_in,
    newest_entry_at,
    panes_in,
)
from streaming.schemas import UPDATED
from streaming.session import settle_worker, worker_database
from streaming.tastes import (
    Known,
    Lists,
    create_lists,
    dates_of,
    window_document,
)

# listeners whose panes and lists are in memory together
_AT_ONCE: Final = 500
_BEFORE: Final = ("newest_event_at", "items.track_id", "diff")


class Written(NamedTuple):
    """How much was written."""

    n_panes: int
    n_lists: int
    delays: Slots


def updating(
    settings: Settings,
    clock: Clock = system_clock,
    *,
    days: bool = False,
    lists_s: float = math.inf,
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return the worker's step for `mapInArrow` over rows of `by_listener`.

    Parameters
    ----------
    days : bool
        The rows are additions to panes of a day, not whole short panes.
    lists_s : float
        Seconds after which a task writes panes only, and the lists are due; looked at
        before each group of listeners.
    """

    def updated(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        settle_worker()
        database = worker_database(settings.mongo)
        index = read_track_index(settings.home / "index")
        until, delays = time.monotonic() + lists_s, Slots()
        for batch in in_groups(batches, "user_id", _AT_ONCE):
            changed: Panes = panes_in(batch)
            if days:
                changed = with_stored(database, changed)
            if time.monotonic() < until:
                done = bring_up_to_date(database, changed, index, settings, clock)
            else:
                done = write_panes(database, changed, index, clock)
            delays += done.delays
            yield report(len(changed), done)
        # what is folded in from the past has its delay from there
        if not days:
            note_delays(database, delays)

    return updated


def report(n_listeners: int, done: Written) -> pa.RecordBatch:
    """Return what a task says of the listeners that it brought up to date."""
    schema = to_arrow_schema(UPDATED, timezone="UTC")
    counts = {
        "n_listeners": n_listeners,
        "n_panes": done.n_panes,
        "n_lists": done.n_lists,
    }
    return pa.RecordBatch.from_pylist([counts], schema=schema)


def bring_up_to_date(
    database: Database[Document],
    changed: Panes,
    index: TrackIndex,
    settings: Settings,
    clock: Clock,
) -> Written:
    """Write the panes in `changed`, and taste and list of each listener in it.

    A listener without panes in it is one whose list is due. What is forgotten while
    this runs is left out, too: whoever writes a rule rewrites the panes that are
    stored, and here the rules are looked at once more when the panes are written.
    """
    dues = noted = read_due(database, changed)
    wanted = {user: each for user, each in changed.items() if each or user in dues}
    before = _read_lists(database, wanted)
    rules = read_rules(database, wanted)
    while True:
        kept = remembered_panes(wanted, rules)
        windows = windows_of(database, kept, index, clock())
        store.upsert(database, store.TASTE_WINDOWS, windows)
        newest = newest_of(kept, before, dues)
        written = {user: due.dates for user, due in dues.items()}
        known = read_known(database, kept, newest, rules, index, settings, written)
        lists = _write_lists(database, known, index, settings, clock, before)
        was, rules = rules, read_rules(database, wanted)
        # who settles at the same time may have read less, or more, than was read here
        if rules == was and settle_due(database, noted):
            return Written(len(windows), len(lists), delays_of(lists, before))
        noted = read_due(database, wanted)
        dues = {**dues, **noted}


def write_panes(
    database: Database[Document], changed: Panes, index: TrackIndex, clock: Clock
) -> Written:
    """Write the panes in `changed`; taste and list of their listeners are due."""
    rules = read_rules(database, changed)
    while True:
        kept = remembered_panes(changed, rules)
        windows = windows_of(database, kept, index, clock())
        store.upsert(database, store.TASTE_WINDOWS, windows)
        was, rules = rules, read_rules(database, changed)
        if rules == was:
            dates = {user: dates_of(panes) for user, panes in kept.items()}
            note_due(database, newest_of(kept, {}, {}), dates, clock())
            return Written(len(windows), 0, Slots())


def refresh_list(
    database: Database[Document],
    user_id: str,
    index: TrackIndex,
    settings: Settings,
    clock: Clock,
    written: frozenset[date] = frozenset(),
) -> None:
    """Write a listener's taste and list anew, from the panes that are stored.

    Parameters
    ----------
    written : frozenset of date, optional
        Dates whose panes have been written without bringing the listener up to date.
    """
    rules = read_rules(database, [user_id])
    newest = newest_entry_at(database, user_id, rules.get(user_id, ()))
    if newest is not None:
        known = read_known(
            database,
            {user_id: []},
            {user_id: newest},
            rules,
            index,
            settings,
            {user_id: written},
        )
        before = _read_lists(database, [user_id])
        _write_lists(database, known, index, settings, clock, before)


def _read_lists(
    database: Database[Document], user_ids: Iterable[str]
) -> dict[str, Document]:
    """Return what is needed of the lists that the listeners have."""
    ids = {"_id": {"$in": list(user_ids)}}
    return {e["_id"]: e for e in database[store.RECOMMENDATIONS].find(ids, _BEFORE)}


def windows_of(
    database: Database[Document], changed: Panes, index: TrackIndex, at: datetime
) -> list[Document]:
    """Return the documents of panes, with what the catalogue knows by now."""
    names = names_in(pane for panes in changed.values() for pane in panes)
    aliases = find_by_name_id(database, names) if names else {}
    return [
        window_document(user_id, pane, index, aliases, at)
        for user_id, panes in changed.items()
        for pane in panes
    ]


def _write_lists(
    database: Database[Document],
    known: Mapping[str, Known],
    index: TrackIndex,
    settings: Settings,
    clock: Clock,
    before: Mapping[str, Document],
) -> list[Document]:
    groups = read_groups(database, index)
    learned = read_learned(settings.home, index)
    update: Lists = create_lists(
        known, index, groups, settings, clock(), before, learned
    )
    for collection, documents in (
        (store.TASTES, update.tastes),
        (store.RECOMMENDATIONS, update.lists),
    ):
        store.upsert_unless_newer(database, collection, documents, "newest_event_at")
        for user_id, as_of in update.without_list.items():
            not_newer = {"_id": user_id, "newest_event_at": {"$lte": as_of}}
            database[collection].delete_one(not_newer)
    return update.lists
