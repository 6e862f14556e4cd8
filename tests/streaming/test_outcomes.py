"""What Spark's frames of accepted events say to lists that were shown."""

from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pymongo.database import Database
from pyspark.sql import SparkSession
from pyspark.sql.pandas.types import to_arrow_schema

from segue import store
from segue.activity import Level
from segue.clock import system_clock
from segue.settings import Settings
from soaks.served_by_sql import ServedSql
from streaming.activity_due import every_due
from streaming.listens import write_listens
from streaming.schemas import JUDGED
from streaming.served_spans import ServedSpans
from tests.streaming.served import show, some_events, some_lists

pytestmark = [pytest.mark.mongo, pytest.mark.spark]
TRACKS = [f"t{number}" for number in range(30)]
SUMS = ("n_lists", "n_lists_hit", "n_rows", "n_started", "n_completed", "n_skipped")


def test_the_stream_notes_what_becomes_of_lists(
    spark: SparkSession,
    ready: Settings,
    database: Database[store.Document],
    rng: np.random.Generator,
) -> None:
    now = system_clock()
    lists = some_lists(rng, 40, now, timedelta(hours=5), TRACKS)
    events = some_events(rng, lists, 400)
    show(database, *lists)
    told = [*map(_judged, range(len(events)), events)]
    schema = to_arrow_schema(JUDGED, timezone="UTC")
    for some in (told[:250], told, told[100:300]):
        table = pa.Table.from_pylist(some, schema=schema)
        write_listens(spark.createDataFrame(table.to_pandas(), JUDGED), ready)
    spans = ServedSpans(database, 0.0, system_clock)
    for level in (Level.HOUR, Level.DAY, Level.MONTH):
        for due in every_due(database, level, store.SERVED_DUE):
            spans.write_due(due)
    sql = ServedSql(database[store.SHOWN_LISTS].find(), events, [], 0)
    (wanted,) = sql.sums()
    for level in (Level.HOUR, Level.MONTH):
        found = database[store.SERVED].find({"level": level}).to_list()
        for name in (*SUMS, "n_left", "n_fresh"):
            assert sum(each[name] for each in found) == wanted[name] > 0, name
    # what only begins is no listen
    assert not database[store.LISTENS].find_one({"action": "started"})


def _judged(offset: int, event: dict[str, Any]) -> dict[str, Any]:
    blank = dict.fromkeys(JUDGED.fieldNames())
    place = {"topic": "playback.events", "partition": offset % 3, "offset": offset}
    at = event["event_time"]
    return blank | place | event | {"ingested_at": at, "outcome": "valid"}
