"""What a query is seen to do: figures, minutes, and a micro-batch that does not end."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pymongo.database import Database
from pyspark.sql import SparkSession
from pyspark.sql.streaming.query import StreamingQuery

from segue import store
from segue.clock import system_clock
from segue.settings import StreamSettings
from streaming.minutes import batch_of
from streaming.progress import Busy, Progress
from tests.factories import START, seconds


def test_a_micro_batch_runs_since_it_was_first_seen() -> None:
    busy = Busy()
    third, fourth = (3, START), (4, START + seconds(40))
    assert busy.since("taste", third, START, is_busy=False) is None
    first = START + seconds(1)
    assert busy.since("taste", third, first, is_busy=True) == first
    assert busy.since("intake", third, START + seconds(2), is_busy=True) != first
    assert busy.since("taste", third, START + seconds(40), is_busy=True) == first
    # the next one
    later = START + seconds(41)
    assert busy.since("taste", fourth, later, is_busy=True) == later
    assert busy.since("taste", fourth, later, is_busy=False) is None
    assert busy.since("taste", fourth, later + seconds(1), is_busy=True) != later


def test_a_micro_batch_is_another_than_what_was_said_while_none_ran() -> None:
    busy = Busy()
    # what is said of a quiet time has the number of the batch that comes
    quiet = batch_of({"batch_id": 4, "batch_started_at": START})
    ended = batch_of({"batch_id": 4, "batch_started_at": START + seconds(60)})
    first, next_one = START + seconds(61), START + seconds(70)
    assert busy.since("taste", quiet, first, is_busy=True) == first
    assert busy.since("taste", ended, next_one, is_busy=True) == next_one


@pytest.fixture
def query(spark: SparkSession, tmp_path: Path) -> Iterator[StreamingQuery]:
    ticks = spark.readStream.format("rate").option("rowsPerSecond", 50).load()
    running = ticks.writeStream.format("noop").queryName("ticks")
    query = running.option("checkpointLocation", str(tmp_path)).start()
    for _ in range(120):
        if query.lastProgress is not None and query.lastProgress.numInputRows:
            break
        query.awaitTermination(1)
    yield query
    query.stop()


@pytest.mark.spark
@pytest.mark.mongo
@pytest.mark.slow
def test_a_look_writes_what_the_query_does(
    query: StreamingQuery, database: Database[store.Document]
) -> None:
    progress = Progress(database, StreamSettings(), lambda: [query], system_clock)
    progress.look()
    found = database[store.STREAM_PROGRESS].find_one({"_id": "ticks"})
    assert found is not None
    assert found["state"] == "running"
    since = found["busy_since"]
    assert since is None or since <= found["updated_at"]
    minutes = database[store.STREAM_MINUTES].find_one({"query": "ticks"})
    assert minutes is not None
    assert minutes["n_batches"] == 1
    assert minutes["processed_rows_per_s"] > 0
    assert minutes["duration_ms"]["triggerExecution"] > 0
    assert database[store.STREAM_MINUTES].count_documents({"query": "messages"}) == 2
