"""Bring listeners up to date: panes → taste → list → MongoDB, on the workers.

A worker takes the panes that changed, reads the listener's other panes from MongoDB,
and writes panes and list by `_id`. All that it computes follows from event times and
entries, never from the time or the batch in which it runs.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import pyarrow as pa
from pymongo.database import Database
from pyspark.sql.pandas.types import to_arrow_schema

from models.ranking import Recommendation, Request, exclusions, rank
from models.taste import Entry, distinct_entries, faded, listens_of, taste_of
from segue import store
from segue.clock import Clock, system_clock
from segue.settings import Settings, TasteSettings
from segue.store import Document
from segue.track_index import TrackIndex, open_track_index
from segue.track_names import find_by_name_id, is_name_id
from streaming.panes import (
    DAY_S,
    Pane,
    counts_of,
    merged,
    pane_of,
    read_panes,
    read_recent_panes,
)
from streaming.schemas import UPDATED
from streaming.session import worker_database

Panes = Mapping[str, list[Pane]]
"""Panes of each listener, by `user_id`."""


class Update(NamedTuple):
    """What is to be written for some listeners."""

    windows: list[Document]
    lists: list[Document]


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
            done = _bring_up_to_date(database, changed, index, settings, clock())
            counts = {
                "n_listeners": len(changed),
                "n_panes": len(done.windows),
                "n_lists": len(done.lists),
            }
            yield pa.RecordBatch.from_pylist([counts], schema=schema)

    return updated


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


def _bring_up_to_date(
    database: Database[Document],
    changed: Panes,
    index: TrackIndex,
    settings: Settings,
    updated_at: datetime,
) -> Update:
    others = _read_other_panes(database, changed, settings)
    names = _names(changed) | _names(others)
    aliases = find_by_name_id(database, names) if names else {}
    update = create_update(changed, others, index, settings, updated_at, aliases)
    store.upsert(database, store.TASTE_WINDOWS, update.windows)
    store.upsert_unless_newer(
        database, store.RECOMMENDATIONS, update.lists, "newest_event_at"
    )
    return update


def _names(panes: Panes) -> set[str]:
    """Return the tracks that are known by name only."""
    return {
        entry.track_id
        for each in panes.values()
        for pane in each
        for entry in pane.entries
        if is_name_id(entry.track_id)
    }


def create_update(
    changed: Panes,
    others: Panes,
    index: TrackIndex,
    settings: Settings,
    updated_at: datetime,
    aliases: Mapping[str, str] | None = None,
) -> Update:
    """Return the documents of the listeners in `changed`.

    Parameters
    ----------
    changed : mapping
        Panes of each listener that are to be written.
    others : mapping
        Their remaining panes inside the horizon, as written before.
    aliases : mapping, optional
        The track of each name that the catalogue knows by now.
    """
    known_as = aliases or {}
    windows = [
        _window_document(user_id, pane, index, known_as, updated_at)
        for user_id, panes in changed.items()
        for pane in panes
    ]
    users = list(changed)
    entries = [
        _entries([*changed[user], *others.get(user, [])], known_as) for user in users
    ]
    requests = [_request(each, index, settings.taste) for each in entries]
    lists = rank(
        requests,
        index,
        settings.taste.negative_pull,
        settings.taste.n_recommendations,
    )
    return Update(
        windows,
        [
            _list_document(user, rows, each[-1].event_time, index, settings, updated_at)
            for user, rows, each in zip(users, lists, entries, strict=True)
        ],
    )


def _request(
    entries: list[Entry], index: TrackIndex, settings: TasteSettings
) -> Request:
    as_of = entries[-1].event_time
    earliest = as_of - timedelta(seconds=settings.horizon_s)
    recent = [entry for entry in entries if entry.event_time > earliest]
    listens = faded(
        listens_of(recent), as_of, settings.half_life_s, settings.negative_half_life_s
    )
    return Request(
        taste_of(listens, index.row_of, index.vectors),
        listens,
        exclusions(recent, as_of, settings.heard_s, len(index.track_ids)),
    )


def _entries(panes: list[Pane], aliases: Mapping[str, str]) -> list[Entry]:
    together = distinct_entries(entry for pane in panes for entry in pane.entries)
    return [_as_known(entry, aliases) for entry in together]


def _as_known(entry: Entry, aliases: Mapping[str, str]) -> Entry:
    track_id = aliases.get(entry.track_id)
    return entry if track_id is None else entry._replace(track_id=track_id)


def _panes(rows: list[dict[str, Any]]) -> list[Pane]:
    return [
        pane_of(row["window_start"], row["length_s"], row["entries"]) for row in rows
    ]


def _window_document(
    user_id: str,
    pane: Pane,
    index: TrackIndex,
    aliases: Mapping[str, str],
    updated_at: datetime,
) -> Document:
    entries = [_as_known(entry, aliases) for entry in pane.entries]
    known = [entry for entry in entries if entry.track_id in index.row_of]
    listens = listens_of(known)
    taste = taste_of(listens, index.row_of, index.vectors)
    copies = [copy._asdict() for copy in pane.copies]
    return {
        "_id": store.taste_window_id(user_id, *pane.window),
        "user_id": user_id,
        "window_start": pane.window_start,
        "window_length_s": pane.length_s,
        "vector": taste.positive.mean.tolist(),
        "weight": taste.positive.weight,
        "negative_vector": taste.negative.mean.tolist(),
        "negative_weight": taste.negative.weight,
        "n_listens": len(listens),
        **counts_of(pane, known),
        "entries": [entry._asdict() for entry in pane.entries],
        # a short pane comes whole out of Spark's state, and need not know its messages
        **({"copies": copies} if pane.length_s == DAY_S else {}),
        "index_version": index.version,
        "updated_at": updated_at,
    }


def _list_document(
    user_id: str,
    rows: list[Recommendation],
    newest_event_at: datetime,
    index: TrackIndex,
    settings: Settings,
    updated_at: datetime,
) -> Document:
    return {
        "_id": user_id,
        "items": [_item(row, settings.stream.pane_s) for row in rows],
        "index_version": index.version,
        "newest_event_at": newest_event_at,
        "updated_at": updated_at,
    }


def _item(row: Recommendation, pane_s: int) -> Document:
    because = [
        {
            "track_id": reason.track_id,
            "share": reason.share,
            "window_start": _window_start(reason.listened_at, pane_s),
        }
        for reason in row.because
    ]
    return {
        "track_id": row.track_id,
        "rank": row.rank,
        "score": row.score,
        "parts": row.parts,
        "because": because,
    }


def _window_start(moment: datetime, pane_s: int) -> datetime:
    seconds = int(moment.timestamp())
    return datetime.fromtimestamp(seconds - seconds % pane_s, moment.tzinfo)


def _read_other_panes(
    database: Database[Document], changed: Panes, settings: Settings
) -> dict[str, list[Pane]]:
    """Read the panes inside the horizon of the listeners, without the changed ones."""
    oldest = min(
        max(pane.window_start for pane in panes) for panes in changed.values()
    ) - timedelta(seconds=settings.taste.horizon_s)
    found = read_recent_panes(database, changed, oldest, settings.stream.pane_s)
    return {
        user_id: [
            pane
            for pane in panes
            if all(pane.window != each.window for each in changed[user_id])
        ]
        for user_id, panes in found.items()
    }
