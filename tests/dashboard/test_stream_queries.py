from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from dashboard.stream_queries import read_health, read_ledger
from segue import store
from segue.settings import Settings
from segue.store import Document
from tests.dashboard.site import read

NOW = datetime(2026, 5, 3, 22, 10, 30, tzinfo=UTC)
PANE_S = 300


def _entry(action: str, play_id: str, ago_s: float) -> Document:
    at = NOW - timedelta(seconds=ago_s)
    return {"action": action, "play_id": play_id, "event_time": at}


def _pane(user: str, start_ago_s: float, *entries: Document, **sums: int) -> Document:
    start = NOW - timedelta(seconds=start_ago_s)
    return {
        "_id": store.taste_window_id(user, start, PANE_S),
        "user_id": user,
        "window_start": start,
        "entries": list(entries),
        "n_events": len(entries),
        "n_duplicates": 0,
        "n_unknown_track": 0,
        **sums,
    }


def _fill(ours: Settings, collection: str, *documents: Document) -> None:
    database = store.connect(ours.mongo)
    store.upsert(database, collection, documents)
    database.client.close()


@pytest.mark.mongo
def test_the_ledger_adds_up_to_what_was_read(settings: Callable[..., Settings]) -> None:
    ours = settings()
    entries = [_entry("started", f"p{n}", 10) for n in range(5)]
    pane = _pane("ada", 60, *entries, n_duplicates=2, n_unknown_track=1)
    _fill(ours, store.TASTE_WINDOWS, pane | {"n_forgotten": 1, "n_over_limit": 3})
    _fill(
        ours,
        store.REJECTED_COUNTS,
        {"_id": "a", "n_read": 14, "n_late": 1, "rejected": {"not_json": 1}},
        {"_id": "b", "n_read": 2, "n_late": 0, "rejected": {"unknown_track": 1}},
    )
    book = read(ours, read_ledger)
    parts = (book.n_accepted, book.n_duplicate, book.n_late, book.n_forgotten)
    assert (book.n_read, *parts, book.n_unmatched) == (16, 5, 2, 1, 1, 1)
    assert book.n_over_limit == 3
    assert book.rejected == {"not_json": 1, "unknown_track": 1}
    assert book.n_in_flight == 1


@pytest.mark.mongo
def test_a_query_that_has_not_reported_for_long_is_stale(
    settings: Callable[..., Settings],
) -> None:
    ours = settings()
    fresh: Document = {
        "_id": "intake",
        "batch_id": 7,
        "duration_ms": {"addBatch": 30, "triggerExecution": 40},
        "watermark": NOW - timedelta(minutes=10),
        "n_waiting": 5,
        "waiting": [{"topic": "ev", "partition": 1, "n": 5}],
        "busy_since": NOW - timedelta(seconds=9),
        "updated_at": NOW - timedelta(seconds=2),
    }
    starting = {"_id": "taste", "updated_at": NOW - timedelta(minutes=5)}
    _fill(ours, store.STREAM_PROGRESS, fresh, starting)
    intake, taste = read(ours, lambda database: read_health(database, NOW))
    assert (intake.total_ms, intake.phases_ms) == (40, {"addBatch": 30})
    assert (intake.watermark_lag_s, intake.is_stale) == (600.0, False)
    assert (intake.n_waiting, [each.n for each in intake.waiting]) == (5, [5])
    assert (intake.busy_s, taste.busy_s) == (7.0, None)
    assert (taste.phases_ms, taste.is_stale) == ({}, True)


@pytest.mark.mongo
def test_an_empty_database_has_nothing_to_report(
    settings: Callable[..., Settings],
) -> None:
    ours = settings()
    assert read(ours, read_ledger).n_in_flight == 0
    assert read(ours, lambda database: read_health(database, NOW)) == []
