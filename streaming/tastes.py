"""Bring listeners up to date: panes → taste → list → MongoDB, on the workers.

A worker takes the panes that changed, reads the listener's other panes from MongoDB,
and writes panes and list by `_id`. All that it computes follows from event times and
entries, never from the time or the batch in which it runs.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple

import pyarrow as pa
from pymongo.database import Database
from pyspark.sql.pandas.types import to_arrow_schema

from models.ranking import Recommendation, Request, exclusions, rank
from models.taste import Entry, distinct_entries, faded, listens_of, taste_of
from segue import store
from segue.clock import Clock, system_clock
from segue.settings import MongoSettings, Settings, StreamSettings, TasteSettings
from segue.store import Document
from segue.track_index import TrackIndex, open_track_index
from streaming.schemas import ENTRY_FIELDS, PLACE, UPDATED


class Pane(NamedTuple):
    """One listener's entries in one window; `n_duplicates` of them came twice."""

    window_start: datetime
    entries: list[Entry]
    n_duplicates: int


class Update(NamedTuple):
    """What is to be written for some listeners."""

    windows: list[Document]
    lists: list[Document]


def updating(
    settings: Settings, index_version: str, clock: Clock = system_clock
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return the worker's step for `mapInArrow` over rows of `by_listener`.

    Parameters
    ----------
    index_version : str
        The index of this micro-batch, the same for all its workers.
    """

    def updated(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        schema = to_arrow_schema(UPDATED, timezone="UTC")
        for batch in batches:
            changed = {r["user_id"]: _panes(r["panes"]) for r in batch.to_pylist()}
            done = _bring_up_to_date(changed, settings, index_version, clock)
            counts = {
                "n_listeners": len(changed),
                "n_panes": len(done.windows),
                "n_lists": len(done.lists),
            }
            yield pa.RecordBatch.from_pylist([counts], schema=schema)

    return updated


def _bring_up_to_date(
    changed: Mapping[str, list[Pane]],
    settings: Settings,
    index_version: str,
    clock: Clock,
) -> Update:
    database = _database(settings.mongo)
    index = open_track_index(settings.home / "index", index_version)
    others = _read_other_panes(database, changed, settings)
    update = create_update(changed, others, index, settings, clock())
    store.upsert(database, store.TASTE_WINDOWS, update.windows)
    store.upsert(database, store.RECOMMENDATIONS, update.lists)
    return update


def create_update(
    changed: Mapping[str, list[Pane]],
    others: Mapping[str, list[Pane]],
    index: TrackIndex,
    settings: Settings,
    updated_at: datetime,
) -> Update:
    """Return the documents of the listeners in `changed`.

    Parameters
    ----------
    changed : mapping
        Panes of each listener that are to be written.
    others : mapping
        Their remaining panes inside the horizon, as written before.
    """
    windows = [
        _window_document(user_id, pane, index, settings.stream, updated_at)
        for user_id, panes in changed.items()
        for pane in panes
    ]
    users = list(changed)
    entries = [_entries([*changed[user], *others.get(user, [])]) for user in users]
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


def _entries(panes: list[Pane]) -> list[Entry]:
    return distinct_entries(entry for pane in panes for entry in pane.entries)


def _panes(rows: list[dict[str, Any]]) -> list[Pane]:
    return [pane_of(row["window_start"], row["entries"]) for row in rows]


def pane_of(window_start: datetime, rows: list[dict[str, Any]]) -> Pane:
    """Return a pane from rows of entry fields, `partition` and `offset`.

    Each event is kept once: the first copy of its partition.
    """
    rows = sorted(rows, key=itemgetter(*PLACE))
    first: dict[str, dict[str, Any]] = {}
    for row in rows:
        first.setdefault(row["event_id"], row)
    entries = distinct_entries(map(_entry, first.values()))
    return Pane(window_start, entries, len(rows) - len(entries))


def _entry(row: Mapping[str, Any]) -> Entry:
    return Entry(*(row[name] for name in ENTRY_FIELDS))


def _window_document(
    user_id: str,
    pane: Pane,
    index: TrackIndex,
    settings: StreamSettings,
    updated_at: datetime,
) -> Document:
    known = [entry for entry in pane.entries if entry.track_id in index.row_of]
    listens = listens_of(known)
    taste = taste_of(listens, index.row_of, index.vectors)
    length_s = settings.pane_s
    return {
        "_id": store.taste_window_id(user_id, pane.window_start, length_s),
        "user_id": user_id,
        "window_start": pane.window_start,
        "window_length_s": length_s,
        "vector": taste.positive.mean.tolist(),
        "weight": taste.positive.weight,
        "negative_vector": taste.negative.mean.tolist(),
        "negative_weight": taste.negative.weight,
        "n_listens": len(listens),
        "n_events": len(known),
        "n_unknown_track": len(pane.entries) - len(known),
        "n_duplicates": pane.n_duplicates,
        "entries": [entry._asdict() for entry in pane.entries],
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
    database: Database[Document],
    changed: Mapping[str, list[Pane]],
    settings: Settings,
) -> dict[str, list[Pane]]:
    """Read the panes inside the horizon of the listeners, without the changed ones."""
    oldest = min(
        max(pane.window_start for pane in panes) for panes in changed.values()
    ) - timedelta(seconds=settings.taste.horizon_s + settings.stream.pane_s)
    found = database[store.TASTE_WINDOWS].find(
        {
            "user_id": {"$in": list(changed)},
            "window_start": {"$gte": oldest},
            "window_length_s": settings.stream.pane_s,
        },
        {"user_id": 1, "window_start": 1, "entries": 1},
    )
    others: dict[str, list[Pane]] = defaultdict(list)
    for document in found:
        user_id, start = document["user_id"], document["window_start"]
        if all(pane.window_start != start for pane in changed[user_id]):
            entries = [_entry(row) for row in document["entries"]]
            others[user_id].append(Pane(start, entries, 0))
    return others


@lru_cache(maxsize=1)
def _database(settings: MongoSettings) -> Database[Document]:
    """Return this worker process's own connection."""
    return store.connect(settings)
