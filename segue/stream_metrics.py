"""Figures of the streaming queries for Prometheus, from their progress documents.

They say how much and how fast, and nothing of any listener.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

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


class Fixed(Collector):
    """Gives out what was read before."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = list(metrics)

    def collect(self) -> Iterable[Metric]:
        """Return it."""
        return self._metrics


def gauges_of(queries: Sequence[Document], now: datetime) -> Iterator[Metric]:
    """Yield what the documents of `stream_progress` say, each query by its name."""
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
    lags = GaugeMetricFamily(
        "segue_watermark_lag_seconds", "The watermark's age", labels=["query"]
    )
    for query in queries:
        for phase, took_ms in sorted((query.get("duration_ms") or {}).items()):
            phases.add_metric([query["_id"], phase], took_ms * _S_PER_MS)
        if query.get("watermark") is not None:
            lag_s = (now - query["watermark"]).total_seconds()
            lags.add_metric([query["_id"]], lag_s)
    yield from (phases, lags)
    yield _waiting(queries)


def ages_of(queries: Sequence[Document], now: datetime) -> Metric:
    """Return how long ago each query has written its document."""
    ages = GaugeMetricFamily(
        "segue_report_age_seconds", "Since the query last reported", labels=["query"]
    )
    for query in queries:
        ages.add_metric([query["_id"]], (now - query["updated_at"]).total_seconds())
    return ages


def _waiting(queries: Sequence[Document]) -> Metric:
    waiting = GaugeMetricFamily(
        "segue_partition_waiting_messages",
        "Messages of a partition that no micro-batch has taken",
        labels=["query", "topic", "partition"],
    )
    for query in queries:
        for part in query.get("waiting", []):
            names = [query["_id"], part["topic"], str(part["partition"])]
            waiting.add_metric(names, part["n"])
    return waiting
