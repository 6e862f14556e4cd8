"""Bring listeners up to date in MongoDB, on the workers.

A worker takes the panes that changed, reads the listener's other panes and what they
want forgotten, and writes panes and list by `_id`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
from pymongo import DESCENDING
from pymongo.database import Database
from pyspark.sql.pandas.types import to_arrow_schema

from segue import store
from segue.clock import Clock, system_clock
from segue.settings import Settings
from segue.store import Document
from segue.track_index import TrackIndex, open_track_index
from segue.track_names import find_by_name_id
from streaming.forget_rules import Rules, read_rules
from streaming.panes import (
    Pane,
    Panes,
    merged,
    names_in,
    pane_of,
    read_panes,
    read_recent_panes,
    without_forgotten,
)
from streaming.schemas import UPDATED
from streaming.session import worker_database
from streaming.tastes import Update, create_update


def updating(
    settings: Settings,
    index_version: str,
    clock: Clock = system_clock,
    *,
    days: bool = False,
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return the worker's step for `mapInArrow` over rows of `by_listener`.

    Parameters
    ----------
    index_version : str
        The index of this micro-batch, the same for all its workers.
    days : bool
        The rows are additions to panes of a day, not whole short panes.
    """

    def updated(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        schema = to_arrow_schema(UPDATED, timezone="UTC")
        database = worker_database(settings.mongo)
        index = open_track_index(settings.home / "index", index_version)
        for batch in batches:
            changed = {r["user_id"]: _panes(r["panes"]) for r in batch.to_pylist()}
            if days:
                changed = _with_stored(database, changed)
            done = bring_up_to_date(database, changed, index, settings, clock)
            counts = {
                "n_listeners": len(changed),
                "n_panes": len(done.windows),
                "n_lists": len(done.lists),
            }
            yield pa.RecordBatch.from_pylist([counts], schema=schema)

    return updated


def bring_up_to_date(
    database: Database[Document],
    changed: Panes,
    index: TrackIndex,
    settings: Settings,
    clock: Clock,
) -> Update:
    """Write the panes in `changed`, and a list for each listener in it.

    What is forgotten while this runs is left out, too: whoever writes a rule rewrites
    the panes that are stored, and here the rules are looked at once more when the panes
    are written.
    """
    newest = {u: max(p.window_start for p in panes) for u, panes in changed.items()}
    others = _read_other_panes(database, changed, newest, settings)
    rules = read_rules(database, changed)
    while True:
        update = _update(database, changed, others, rules, index, settings, clock)
        before, rules = rules, read_rules(database, changed)
        if rules == before:
            return update


def refresh_list(
    database: Database[Document],
    user_id: str,
    index: TrackIndex,
    settings: Settings,
    clock: Clock,
) -> None:
    """Write a listener's list anew, from the panes that are stored."""
    newest = database[store.TASTE_WINDOWS].find_one(
        {"user_id": user_id}, ("window_start",), sort=[("window_start", DESCENDING)]
    )
    if newest is not None:
        none_changed: Panes = {user_id: []}
        others = _read_other_panes(
            database, none_changed, {user_id: newest["window_start"]}, settings
        )
        rules = read_rules(database, none_changed)
        _update(database, none_changed, others, rules, index, settings, clock)


def _update(
    database: Database[Document],
    changed: Panes,
    others: Panes,
    rules: Rules,
    index: TrackIndex,
    settings: Settings,
    clock: Clock,
) -> Update:
    panes = [
        pane for each in (changed, others) for some in each.values() for pane in some
    ]
    names = names_in(panes)
    aliases = find_by_name_id(database, names) if names else {}
    update = create_update(
        _remembered(changed, rules),
        _remembered(others, rules),
        index,
        settings,
        clock(),
        aliases,
    )
    store.upsert(database, store.TASTE_WINDOWS, update.windows)
    lists = database[store.RECOMMENDATIONS]
    store.upsert_unless_newer(
        database, store.RECOMMENDATIONS, update.lists, "newest_event_at"
    )
    for user_id, as_of in update.without_list.items():
        lists.delete_one({"_id": user_id, "newest_event_at": {"$lte": as_of}})
    return update


def _remembered(panes: Panes, rules: Rules) -> Panes:
    if not rules:
        return panes
    return {
        user: [without_forgotten(pane, rules.get(user, ())) for pane in each]
        for user, each in panes.items()
    }


def _panes(rows: list[dict[str, Any]]) -> list[Pane]:
    return [
        pane_of(row["window_start"], row["length_s"], row["entries"]) for row in rows
    ]


def _with_stored(database: Database[Document], arrived: Panes) -> dict[str, list[Pane]]:
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
    newest: Mapping[str, datetime],
    settings: Settings,
) -> Panes:
    """Read the panes inside the horizon of the listeners, without the changed ones."""
    oldest = min(newest.values()) - timedelta(seconds=settings.taste.horizon_s)
    found = read_recent_panes(database, changed, oldest, settings.stream.pane_s)
    return {
        user_id: [
            pane
            for pane in panes
            if all(pane.window != each.window for each in changed[user_id])
        ]
        for user_id, panes in found.items()
    }
