"""Lists, plays of their rows and spans of both, as the stream writes them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
from pymongo.database import Database

from segue import store
from segue.activity import Level, documents
from segue.shown import ShownList, midnight
from soaks.served_by_sql import ServedSql
from streaming.activity_due import every_due
from streaming.counting import Facts, count_spans
from streaming.outcomes import write_outcomes
from streaming.served_spans import ServedSpans
from tests.streaming.served import show_by_date, some_events, some_lists
from tests.streaming.test_archive import SCHEMA

N_TRACKS = 150
TRACKS = [f"t{number}" for number in range(N_TRACKS)]
ENDS = ("completed", "skipped")


@dataclass(frozen=True)
class Shown:
    """What was shown and done, and SQL over it."""

    lists: Sequence[ShownList]
    events: Sequence[Mapping[str, Any]]
    sql: ServedSql


def write_tracks(database: Database[store.Document]) -> None:
    there: list[store.Document] = [{"_id": each, "title": each} for each in TRACKS]
    store.merge(database, store.TRACKS, there)


def write_shown(
    database: Database[store.Document],
    now: datetime,
    n_lists: int = 150,
    within: timedelta = timedelta(days=6),
    tracks: Sequence[str] = TRACKS,
    n_events: int | None = None,
) -> Shown:
    """Show lists, play from them, and count all of it."""
    rng = np.random.default_rng(7)
    n_listeners = max(6, n_lists // 25)
    lists = some_lists(rng, n_lists, now, within, tracks, n_listeners)
    events = some_events(rng, lists, 8 * n_lists if n_events is None else n_events)
    show_by_date(database, lists)
    write_outcomes(database, events, 0.0, lambda: now)
    write_activity(database, events)
    spans = ServedSpans(database, 0.0, lambda: now)
    for level in (Level.HOUR, Level.DAY, Level.MONTH):
        for due in every_due(database, level, store.SERVED_DUE):
            spans.write_due(due)
    plays = [
        (midnight(each["event_time"]), each["track_id"])
        for each in events
        if is_end(each)
    ]
    n_catalogue = database[store.TRACKS].count_documents({})
    stored = database[store.SHOWN_LISTS].find()
    return Shown(lists, events, ServedSql(stored, events, plays, n_catalogue))


def is_end(event: Mapping[str, Any]) -> bool:
    end = json.loads(event["source"])["end"]
    left = event["action"] == "progressed" and isinstance(end, str) and end != ""
    return event["action"] in ENDS or left


def write_activity(
    database: Database[store.Document], events: Sequence[Mapping[str, Any]]
) -> None:
    blank = dict.fromkeys(SCHEMA.names)
    place = {"topic": "t", "partition": 0, "ingested_at": datetime.now(UTC)}
    rows = [{**blank, **place, "offset": n, **e} for n, e in enumerate(events)]
    table = pa.Table.from_pylist(rows, schema=SCHEMA)
    facts = dict.fromkeys(TRACKS, Facts(None, ()))
    for level in (Level.HOUR, Level.DAY):
        for (start, kind), cells in count_spans(table, level, facts).items():
            stamp = {"updated_at": start}
            found = documents(level, start, kind, cells, stamp)
            store.upsert(database, store.ACTIVITY, found)
