"""Bring listeners up to date in MongoDB, on the workers.

A worker takes the panes that changed and writes them; then it reads what else is known
of their listeners, panes of the last day and sums of the days before, and writes tastes
and lists. Everything is written by `_id`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Any, Final, NamedTuple

import pyarrow as pa
from pymongo.database import Database
from pyspark.sql.pandas.types import to_arrow_schema

from segue import store
from segue.clock import Clock, system_clock
from segue.settings import Settings
from segue.store import Document
from segue.track_index import TrackIndex, read_track_index
from segue.track_names import find_by_name_id
from streaming.columns import in_groups
from streaming.facts import read_groups
from streaming.forget_rules import Rules, read_rules
from streaming.panes import (
    Pane,
    Panes,
    merged,
    names_in,
    newest_entry_at,
    panes_in,
    read_panes,
    read_recent_panes,
    without_forgotten,
)
from streaming.past import Wanted, read_past
from streaming.schemas import UPDATED
from streaming.session import settle_worker, worker_database
from streaming.tastes import (
    Known,
    Lists,
    create_lists,
    dates_of,
    entries_of,
    oldest_needed,
    window_document,
)

# listeners whose panes and lists are in memory together
_AT_ONCE: Final = 500
_BEFORE: Final = ("newest_event_at", "items.track_id", "diff")


class Written(NamedTuple):
    """How much was written."""

    n_panes: int
    n_lists: int


def updating(
    settings: Settings,
    clock: Clock = system_clock,
    *,
    days: bool = False,
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return the worker's step for `mapInArrow` over rows of `by_listener`.

    Parameters
    ----------
    days : bool
        The rows are additions to panes of a day, not whole short panes.
    """

    def updated(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        settle_worker()
        schema = to_arrow_schema(UPDATED, timezone="UTC")
        database = worker_database(settings.mongo)
        index = read_track_index(settings.home / "index")
        for batch in in_groups(batches, "user_id", _AT_ONCE):
            changed: Panes = panes_in(batch)
            if days:
                changed = with_stored(database, changed)
            done = bring_up_to_date(database, changed, index, settings, clock)
            counts = {"n_listeners": len(changed), **done._asdict()}
            yield pa.RecordBatch.from_pylist([counts], schema=schema)

    return updated


def bring_up_to_date(
    database: Database[Document],
    changed: Panes,
    index: TrackIndex,
    settings: Settings,
    clock: Clock,
) -> Written:
    """Write the panes in `changed`, and taste and list of each listener in it.

    What is forgotten while this runs is left out, too: whoever writes a rule rewrites
    the panes that are stored, and here the rules are looked at once more when the panes
    are written.
    """
    before = _read_lists(database, changed)
    rules = read_rules(database, changed)
    while True:
        kept = remembered_panes(changed, rules)
        windows = windows_of(database, kept, index, clock())
        store.upsert(database, store.TASTE_WINDOWS, windows)
        newest = {user: _newest(kept[user], before.get(user)) for user in kept}
        known = _known(database, kept, newest, rules, index, settings)
        n_lists = _write_lists(database, known, index, settings, clock, before)
        was, rules = rules, read_rules(database, changed)
        if rules == was:
            return Written(len(windows), n_lists)


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
        times = {user_id: newest}
        known = _known(database, {user_id: []}, times, rules, index, settings, written)
        before = _read_lists(database, [user_id])
        _write_lists(database, known, index, settings, clock, before)


def _read_lists(
    database: Database[Document], user_ids: Iterable[str]
) -> dict[str, Document]:
    """Return what is needed of the lists that the listeners have."""
    ids = {"_id": {"$in": list(user_ids)}}
    return {e["_id"]: e for e in database[store.RECOMMENDATIONS].find(ids, _BEFORE)}


def _newest(panes: list[Pane], before: Document | None) -> datetime:
    """Return the time of a listener's newest event, where nothing is forgotten."""
    times = [pane.entries[-1].event_time for pane in panes if pane.entries]
    times += [pane.window_start for pane in panes]
    if before is not None:
        times.append(before["newest_event_at"])
    return max(times)


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


def _known(
    database: Database[Document],
    changed: Panes,
    newest: Mapping[str, datetime],
    rules: Rules,
    index: TrackIndex,
    settings: Settings,
    written: frozenset[date] = frozenset(),
) -> dict[str, Known]:
    """Return what is known of each listener; `changed` has been written."""
    newest = {
        user: newest_entry_at(database, user, rules[user]) or at
        if user in rules
        else at
        for user, at in newest.items()
    }
    oldest = {user: oldest_needed(at, settings.taste) for user, at in newest.items()}
    others = _read_other_panes(database, changed, min(oldest.values()), settings)
    recent = {
        user: [*panes, *_kept(others.get(user, []), rules.get(user, ()))]
        for user, panes in changed.items()
    }
    wanted = {
        user: Wanted(newest[user].date(), dates_of(panes) | written)
        for user, panes in changed.items()
    }
    past = read_past(database, wanted, rules, index, settings)
    names = names_in(pane for panes in recent.values() for pane in panes)
    aliases = find_by_name_id(database, names) if names else {}
    known = {}
    for user, panes in recent.items():
        entries = entries_of(panes, aliases)
        known[user] = Known(
            [e for e in entries if e.event_time >= oldest[user]], past[user]
        )
    return known


def _write_lists(
    database: Database[Document],
    known: Mapping[str, Known],
    index: TrackIndex,
    settings: Settings,
    clock: Clock,
    before: Mapping[str, Document],
) -> int:
    groups = read_groups(database, index)
    update: Lists = create_lists(known, index, groups, settings, clock(), before)
    for collection, documents in (
        (store.TASTES, update.tastes),
        (store.RECOMMENDATIONS, update.lists),
    ):
        store.upsert_unless_newer(database, collection, documents, "newest_event_at")
        for user_id, as_of in update.without_list.items():
            not_newer = {"_id": user_id, "newest_event_at": {"$lte": as_of}}
            database[collection].delete_one(not_newer)
    return len(update.lists)


def remembered_panes(panes: Panes, rules: Rules) -> Panes:
    """Return the panes without what the rules cover."""
    if not rules:
        return panes
    return {u: _kept(each, rules.get(u, ())) for u, each in panes.items()}


def _kept(panes: list[Pane], rules: Any) -> list[Pane]:
    return [without_forgotten(pane, rules) for pane in panes] if rules else panes


def with_stored(database: Database[Document], arrived: Panes) -> dict[str, list[Pane]]:
    """Return panes, in their order, each with what is stored of the same window."""
    windows = {user: [pane.window for pane in arrived[user]] for user in arrived}
    stored = read_panes(database, windows)
    by_window = {(u, p.window): p for u, panes in stored.items() for p in panes}
    return {
        user: [
            merged(before, pane)
            if (before := by_window.get((user, pane.window)))
            else pane
            for pane in panes
        ]
        for user, panes in arrived.items()
    }


def _read_other_panes(
    database: Database[Document],
    changed: Panes,
    oldest: datetime,
    settings: Settings,
) -> Panes:
    """Read the listeners' panes since `oldest`, without the changed ones."""
    found = read_recent_panes(database, changed, oldest, settings.stream.pane_s)
    return {
        user_id: [
            pane
            for pane in panes
            if all(pane.window != each.window for each in changed[user_id])
        ]
        for user_id, panes in found.items()
    }
