"""Minutes of the queries, from what is looked at once a second."""

from datetime import datetime
from typing import Any

import pytest
from pymongo.database import Database
from pyspark.sql import Row

from segue import store
from segue.clock import fixed_clock
from streaming.intake import write_counts
from streaming.minutes import Minutes
from tests.factories import START, seconds


def batch(number: int, n_taken: int, n_rows: int, took_ms: int = 500) -> dict[str, Any]:
    """Return what `progress_document` makes of a micro-batch."""
    return {
        "batch_id": number,
        "batch_started_at": START,
        "n_input_rows": n_rows,
        "n_taken": n_taken,
        "n_waiting": number,
        "duration_ms": {"addBatch": took_ms - 100, "triggerExecution": took_ms},
        "state_rows": 10 * number,
        "state_bytes": 1000 * number,
        "n_dropped_by_watermark": 1,
        "watermark": START - seconds(60),
    }


def stored(database: Database[store.Document], query: str) -> list[store.Document]:
    found = database[store.STREAM_MINUTES].find({"query": query}).sort("start")
    return list(found)


@pytest.mark.mongo
def test_a_minute_has_all_messages_and_the_batches_that_were_seen(
    database: Database[store.Document],
) -> None:
    minutes = Minutes(database)
    minutes.look("taste", batch(1, 100, 40), START + seconds(10))
    minutes.look("taste", batch(1, 100, 40), START + seconds(11))
    # between the looks another batch took 30, which nobody saw
    minutes.look("taste", batch(3, 190, 60, 1000), START + seconds(20))
    minutes.write(START + seconds(20))
    (found,) = stored(database, "taste")
    assert found["n_rows"] == 130
    assert found["input_rows_per_s"] == 130 / 20
    assert found["n_batches"] == 2
    assert found["processed_rows_per_s"] == pytest.approx(100 / 1.5)
    assert found["duration_ms"] == {"addBatch": 650.0, "triggerExecution": 750.0}
    assert (found["longest_ms"], found["n_waiting"]) == (1000.0, 3)
    assert (found["state_rows"], found["state_bytes"]) == (30, 3000)
    assert (found["watermark_lag_s"], found["n_dropped"]) == (80.0, 2)


@pytest.mark.mongo
def test_the_next_minute_goes_on_where_the_last_one_ended(
    database: Database[store.Document],
) -> None:
    minutes = Minutes(database)
    minutes.look("taste", batch(1, 100, 100), START + seconds(50))
    minutes.write(START + seconds(50))
    minutes.look("taste", batch(1, 100, 100), START + seconds(61))
    minutes.look("taste", batch(2, 104, 4), START + seconds(62))
    # not written for a while: the first minute is whole all the same
    minutes.look("taste", batch(2, 104, 4), START + seconds(121))
    minutes.write(START + seconds(121))
    first, second, third = stored(database, "taste")
    assert [each["n_rows"] for each in (first, second, third)] == [100, 4, 0]
    assert [each["n_batches"] for each in (first, second, third)] == [1, 1, 0]
    assert second["input_rows_per_s"] == 4 / 12
    assert (third["processed_rows_per_s"], third["longest_ms"]) == (None, 0.0)
    assert third["state_rows"] == 20


@pytest.mark.mongo
def test_what_is_written_twice_is_there_once(
    database: Database[store.Document],
) -> None:
    minutes = Minutes(database)
    for s in (1, 5, 12, 30):
        minutes.look("taste", batch(s, 10 * s, 5), START + seconds(s))
        minutes.write(START + seconds(s))
    # at 5 s it was not time
    (found,) = stored(database, "taste")
    assert found["n_batches"] == 4
    assert len(stored(database, store.MESSAGES)) == 2


@pytest.mark.mongo
def test_messages_are_those_that_were_counted_in_the_minute(
    database: Database[store.Document],
) -> None:
    def counted(at: datetime, number: int, **rejected: int) -> store.Document:
        return {
            "_id": f"ev|0|{number}",
            "counted_at": at,
            "n_read": 10,
            "n_late": 1,
            "n_known": 2,
            "rejected": rejected,
        }

    store.upsert(
        database,
        store.REJECTED_COUNTS,
        [
            counted(START - seconds(1), 0, not_json=1),
            counted(START, 1, not_json=2, bad_time=1),
            counted(START + seconds(59), 2),
            counted(START + seconds(60), 3, not_json=7),
        ],
    )
    minutes = Minutes(database)
    minutes.write(START + seconds(70))
    minute, running = stored(database, store.MESSAGES)
    assert minute["start"] == START
    sums = {name: minute[name] for name in ("n_read", "n_late", "n_known", "rejected")}
    rejected = {"not_json": 2, "bad_time": 1}
    assert sums == {"n_read": 20, "n_late": 2, "n_known": 4, "rejected": rejected}
    assert running["rejected"] == {"not_json": 7}


def idle(number: int, n_taken: int, at: datetime) -> dict[str, Any]:
    """Return what Spark says each ten seconds of a query that waits.

    It has the number of the batch that comes next.
    """
    waits: dict[str, Any] = {"duration_ms": {"latestOffset": 2, "triggerExecution": 2}}
    said = batch(number, n_taken, 0) | waits
    return said | {"batch_started_at": at, "n_dropped_by_watermark": 0}


@pytest.mark.mongo
def test_a_batch_after_a_quiet_time_counts_and_the_quiet_time_does_not(
    database: Database[store.Document],
) -> None:
    minutes = Minutes(database)
    minutes.look("taste", batch(1, 100, 40), START + seconds(10))
    minutes.look("taste", idle(2, 100, START + seconds(20)), START + seconds(20))
    minutes.look("taste", idle(2, 100, START + seconds(30)), START + seconds(30))
    came = {"batch_started_at": START + seconds(39)}
    minutes.look("taste", batch(2, 130, 30, 1500) | came, START + seconds(40))
    # the watermark that a batch sets is told when the next one is, or none comes
    moved = {"watermark": START + seconds(45)}
    waits = idle(3, 130, START + seconds(50)) | moved
    minutes.look("taste", waits, START + seconds(50))
    minutes.write(START + seconds(50))
    (found,) = stored(database, "taste")
    assert found["watermark_lag_s"] == 5.0
    assert (found["n_batches"], found["n_rows"], found["n_dropped"]) == (2, 70, 2)
    assert found["longest_ms"] == 1500.0
    assert found["duration_ms"] == {"addBatch": 900.0, "triggerExecution": 1000.0}
    assert found["input_rows_per_s"] == 70 / 50


@pytest.mark.mongo
def test_a_query_that_has_only_waited_has_no_minute_yet(
    database: Database[store.Document],
) -> None:
    minutes = Minutes(database)
    # nothing is known yet of how far it has read
    minutes.look("taste", idle(0, 0, START), START)
    minutes.write(START)
    assert stored(database, "taste") == []
    minutes.look("taste", batch(0, 5_000, 30), START + seconds(20))
    minutes.write(START + seconds(20))
    (found,) = stored(database, "taste")
    assert (found["n_batches"], found["n_rows"]) == (1, 30)


@pytest.mark.mongo
def test_a_batch_that_is_repeated_stays_in_the_minute_in_which_it_was_counted(
    database: Database[store.Document],
) -> None:
    offsets = {"first_offset": 100, "last_offset": 104, "n": 5}
    counts = [Row(topic="ev", partition=0, outcome="valid", reason=None, **offsets)]
    write_counts(database, counts, 0, fixed_clock(START + seconds(50)))
    minutes = Minutes(database)
    minutes.write(START + seconds(55))
    # a kill before the batch was committed: it runs again, and finds its own events
    write_counts(database, counts, 5, fixed_clock(START + seconds(70)))
    minutes.write(START + seconds(75))
    first, second = stored(database, store.MESSAGES)[-2:]
    assert (first["n_read"], first["n_known"], second["n_read"]) == (5, 0, 0)
    (stays,) = database[store.REJECTED_COUNTS].find()
    assert stays["updated_at"] == START + seconds(70)
