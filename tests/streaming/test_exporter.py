"""The streaming job's own answer to Prometheus, of a query that really runs."""

import socket
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families
from pyspark.sql import SparkSession
from pyspark.sql.streaming.query import StreamingQuery

from segue.clock import system_clock
from segue.services.ports import free_port
from segue.settings import StreamSettings
from streaming.exporter import exporting
from streaming.progress import progress_document
from tests.factories import START


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


def scraped(port: int) -> dict[tuple[str, ...], float]:
    with urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        text = answer.read().decode()
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.mark.slow
def test_a_scrape_tells_of_the_query_and_the_process(query: StreamingQuery) -> None:
    port = free_port()
    settings = StreamSettings(metrics_port=port)
    with exporting(settings, lambda: [query], system_clock):
        samples = scraped(port)
    assert samples["segue_batch_rows", "ticks"] > 0
    assert samples["segue_processed_rows_per_second", "ticks"] > 0
    assert samples["segue_batch_seconds", "triggerExecution", "ticks"] > 0
    assert samples["segue_stream_process_resident_memory_bytes",] > 1e7
    with pytest.raises(OSError, match="refused"):
        urlopen(f"http://127.0.0.1:{port}/metrics")


def test_a_port_that_is_taken_is_said_and_the_job_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = StreamSettings(metrics_port=taken.getsockname()[1])
        with exporting(settings, list, system_clock):
            pass
    assert "SEGUE_STREAM_METRICS_PORT" in caplog.text


def test_what_waits_is_told_by_partition() -> None:
    source: dict[str, Any] = {
        "endOffset": {"playback.events": {"0": 90, "1": 70}},
        "latestOffset": {"playback.events": {"0": 100, "1": 70}, "more": {"0": 5}},
    }
    told = {"batchId": 3, "timestamp": "2026-05-03T22:10:00.000Z", "numInputRows": 9}
    document = progress_document({**told, "sources": [source]})
    assert document["n_waiting"] == 10
    assert document["waiting"] == [
        {"topic": "playback.events", "partition": 0, "n": 10},
        {"topic": "playback.events", "partition": 1, "n": 0},
        {"topic": "more", "partition": 0, "n": 0},
    ]


@pytest.mark.parametrize(
    ("told", "watermark"),
    [
        ({}, None),
        ({"eventTime": {"watermark": "1970-01-01T00:00:00.000Z"}}, None),
        ({"eventTime": {"watermark": START.isoformat()}}, START),
    ],
)
def test_before_the_first_event_there_is_no_watermark(
    told: dict[str, Any], watermark: datetime | None
) -> None:
    batch = {"batchId": 3, "timestamp": "2026-05-03T22:10:00.000Z", "numInputRows": 9}
    assert progress_document(batch | told)["watermark"] == watermark
