"""What Spark alone does with the events topic: the references of `bin/bench stream`.

Run by `spark-submit` with the stream's settings; prints `kafka_read_per_s=…` and
`parse_per_s=…`.
"""

import os
import sys
import time
from pathlib import Path

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segue.settings import load_settings
from streaming.schemas import EVENT_FIELDS
from streaming.session import create_session

_MAX_OFFSETS = 500_000


def main(n_events: int) -> None:
    """Read the topic twice, and say how fast."""
    settings = load_settings(os.environ)
    spark = create_session("bench-references")
    records = (
        spark.readStream.format("kafka")
        .option("kafka.bootstrap.servers", settings.kafka.bootstrap)
        .option("subscribe", settings.kafka.events_topic)
        .option("startingOffsets", "earliest")
        .option("maxOffsetsPerTrigger", _MAX_OFFSETS)
        .load()
    )
    shape = ", ".join(f"{f.name} {f.dataType.simpleString()}" for f in EVENT_FIELDS)
    text = F.col("value").cast("string")
    parsed = records.select(F.from_json(text, shape).alias("event")).select("event.*")
    _seconds(records, settings.home / "warm-up")
    read_s = _seconds(records, settings.home / "read")
    parse_s = _seconds(parsed, settings.home / "parse")
    rates = f"kafka_read_per_s={n_events / read_s} parse_per_s={n_events / parse_s}"
    sys.stdout.write(f"{rates}\n")
    spark.stop()


def _seconds(frame: DataFrame, checkpoint: Path) -> float:
    start = time.monotonic()
    query = (
        frame.writeStream.format("noop")
        .option("checkpointLocation", str(checkpoint))
        .trigger(availableNow=True)
        .start()
    )
    query.awaitTermination()
    return time.monotonic() - start


if __name__ == "__main__":
    main(int(sys.argv[1]))
