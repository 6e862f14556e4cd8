"""How fast lists made on the workers get into MongoDB: pymongo there, or the connector.

Workers make documents like those of `recommendations`. Either they write them by
pymongo, in the step that makes them, or they hand them back to Spark, which writes them
by the MongoDB Spark connector. Both replace by `_id`, unordered; the ways take
turns, and the first round inserts. `made_per_s` is the rate of making them for nothing.
"""

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import click
import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import (
    ArrayType,
    DoubleType,
    LongType,
    StringType,
    StructField,
    StructType,
    TimestampType,
)

from benches.stack import say
from models.ranking import CHOICE_PARTS
from models.scores import PARTS
from segue import store
from segue.clock import system_clock
from segue.services import mongo, process
from segue.services.jars import bundle, resolve_jars
from segue.services.java import find_java
from segue.settings import MongoSettings, load_settings
from streaming.session import worker_database

_ROOT: Final = Path(__file__).resolve().parent.parent
_N_ITEMS: Final = 20
_ROUNDS: Final = 3
_PARTS: Final = (*PARTS, *CHOICE_PARTS)
_DOUBLES: Final = StructType([StructField(name, DoubleType()) for name in _PARTS])
_ITEM: Final = StructType(
    [
        StructField("track_id", StringType()),
        StructField("rank", LongType()),
        StructField("score", DoubleType()),
        StructField(
            "parts", StructType([StructField(n, DoubleType()) for n in _PARTS])
        ),
        StructField("seed", StringType()),
    ]
)
_SHAPE: Final = StructType(
    [
        StructField("_id", StringType()),
        StructField("index_version", StringType()),
        StructField("newest_event_at", TimestampType()),
        StructField("items", ArrayType(_ITEM)),
    ]
)
_COLLECTION: Final = {"pymongo": "by_pymongo", "connector": "by_connector"}


@click.command(help=__doc__)
@click.option("--documents", default=50_000, show_default=True, help="How many.")
@click.option("--json", "out", type=click.File("w"), default="-", help="Where to.")
def main(documents: int, out: Any) -> None:
    """Measure; see the module."""
    asked = load_settings(os.environ)
    java = find_java(asked.spark.java_home)
    resolve_jars(_ROOT / "var", java, say, asked.spark.ivy_settings, ("mongo",))
    jars = ",".join(map(str, bundle(_ROOT / "var", "mongo")))
    with tempfile.TemporaryDirectory(prefix="segue-bench-") as folder:
        home = Path(folder)
        try:
            uri = mongo.wait(mongo.launch(home, 0))
            ours = MongoSettings.model_validate({"uri": uri})
            spark = _session(jars)
            try:
                answer = _measured(spark, ours, uri, documents)
            finally:
                spark.stop()
        finally:
            process.stop(home, mongo.NAME)
    json.dump({"n_documents": documents, **answer}, out, indent=1)
    out.write("\n")


def _session(jars: str) -> SparkSession:
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.master("local[2]").appName("segue-bench-mongo")
    settings: dict[str, bool | float | int | str | None] = {
        "spark.jars": jars,
        "spark.ui.enabled": "false",
        "spark.sql.session.timeZone": "UTC",
    }
    return builder.config(map=settings).getOrCreate()


def _measured(
    spark: SparkSession, ours: MongoSettings, uri: str, n: int
) -> dict[str, Any]:
    rows = spark.range(n, numPartitions=4)
    made = rows.mapInArrow(_making, _SHAPE)
    ways: dict[str, Callable[[], None]] = {
        "made": lambda: _to_nothing(made),
        "pymongo": lambda: _to_nothing(rows.mapInArrow(_writing(ours), "n long")),
        "connector": lambda: _by_connector(made, uri, ours.database),
    }
    took: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(_ROUNDS):
        for name, way in ways.items():
            took[name].append(_took_s(way))
    with closing(store.connect(ours).client) as client:
        held = [client[ours.database][c] for c in _COLLECTION.values()]
        if [each.count_documents({}) for each in held] != [n, n]:
            raise RuntimeError("not all documents were written")
    return {
        f"{name}_per_s": [round(n / each) for each in times]
        for name, times in took.items()
    }


def _took_s(way: Callable[[], None]) -> float:
    start = time.perf_counter()
    way()
    return time.perf_counter() - start


def _to_nothing(rows: DataFrame) -> None:
    rows.write.format("noop").mode("overwrite").save()


def _by_connector(rows: DataFrame, uri: str, database: str) -> None:
    (
        rows.write.format("mongodb")
        .option("connection.uri", uri)
        .option("database", database)
        .option("collection", _COLLECTION["connector"])
        .option("operationType", "replace")
        .option("upsertDocument", "true")
        .option("ordered", "false")
        .mode("append")
        .save()
    )


def _document(number: int) -> store.Document:
    return {
        "_id": f"listener-{number:07d}",
        "index_version": "bench",
        "newest_event_at": system_clock(),
        "items": [
            {
                "track_id": f"t{number % 997 + rank:07d}",
                "rank": rank,
                "score": 0.9 - rank / 100,
                "parts": dict.fromkeys(_PARTS, 0.1),
                "seed": "t0000001",
            }
            for rank in range(_N_ITEMS)
        ],
    }


def _making(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    schema = to_arrow_schema(_SHAPE, timezone="UTC")
    for batch in batches:
        documents = list(map(_document, batch["id"].to_pylist()))
        yield pa.RecordBatch.from_pylist(documents, schema=schema)


def _writing(
    ours: MongoSettings,
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    def writing(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        database = worker_database(ours)
        for batch in batches:
            documents = list(map(_document, batch["id"].to_pylist()))
            store.upsert(database, _COLLECTION["pymongo"], documents)
            yield pa.RecordBatch.from_pydict({"n": [len(documents)]})

    return writing


if __name__ == "__main__":
    sys.exit(main())
