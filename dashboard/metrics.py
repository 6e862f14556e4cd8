"""Figures of the stream for Prometheus, at `/metrics`.

They say how much and how fast, and nothing of any listener.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final

from fastapi import Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from pymongo.asynchronous.database import AsyncDatabase

from dashboard.stream_queries import read_intake
from segue import store
from segue.clock import Clock
from segue.store import Document

_S_PER_MS: Final = 0.001
_GAUGES: Final = {
    "batch": ("batch_id", "Number of the last micro-batch"),
    "batch_rows": ("n_input_rows", "Messages of the last micro-batch"),
    "input_rows_per_second": ("input_rows_per_s", "Messages that came, a second"),
    "processed_rows_per_second": ("processed_rows_per_s", "Messages taken in a second"),
    "waiting_messages": (
        "n_waiting",
        "Messages in Kafka that no micro-batch has taken",
    ),
    "state_rows": ("state_rows", "Open panes in the state store"),
    "state_bytes": ("state_bytes", "Memory of the state store"),
    "dropped_by_watermark": ("n_dropped_by_watermark", "Must be 0: the judge is first"),
}


class _Fixed(Collector):
    """Gives out what was read before."""

    def __init__(self, metrics: Sequence[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        return self._metrics


async def read_metrics(database: AsyncDatabase[Document], clock: Clock) -> Response:
    """Return the answer to a scrape: one document a query, and sums of the counts."""
    queries = await database[store.STREAM_PROGRESS].find().sort("_id").to_list()
    intake, rejected = await read_intake(database)
    read = CounterMetricFamily("segue_messages_read", "Messages read from Kafka")
    read.add_metric([], intake["n_read"])
    late = CounterMetricFamily("segue_messages_late", "Messages past the watermark")
    late.add_metric([], intake["n_late"])
    refused = CounterMetricFamily(
        "segue_messages_rejected", "Messages that are no event", labels=["reason"]
    )
    for reason, n in rejected.items():
        refused.add_metric([reason], n)
    due = GaugeMetricFamily("segue_lists_due", "Lists that follow when there is time")
    due.add_metric([], await database[store.LISTS_DUE].estimated_document_count())
    registry = CollectorRegistry()
    registry.register(_Fixed([*_gauges(queries, clock()), read, late, refused, due]))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


def _gauges(queries: Sequence[Document], now: datetime) -> Iterator[Metric]:
    for name, (field, says) in _GAUGES.items():
        gauge = GaugeMetricFamily(f"segue_{name}", says, labels=["query"])
        for query in queries:
            if field in query:
                gauge.add_metric([query["_id"]], query[field])
        yield gauge
    phases = GaugeMetricFamily(
        "segue_batch_seconds",
        "Time of the last micro-batch, by phase; triggerExecution is all of it",
        labels=["query", "phase"],
    )
    ages = GaugeMetricFamily(
        "segue_report_age_seconds", "Since the query last reported", labels=["query"]
    )
    lags = GaugeMetricFamily(
        "segue_watermark_lag_seconds", "The watermark's age", labels=["query"]
    )
    for query in queries:
        for phase, took_ms in sorted((query.get("duration_ms") or {}).items()):
            phases.add_metric([query["_id"], phase], took_ms * _S_PER_MS)
        ages.add_metric([query["_id"]], (now - query["updated_at"]).total_seconds())
        if query.get("watermark") is not None:
            lag_s = (now - query["watermark"]).total_seconds()
            lags.add_metric([query["_id"]], lag_s)
    yield from (phases, ages, lags)
