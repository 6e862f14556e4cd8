"""Figures of the stream for Prometheus, at `/metrics`.

They say how much and how fast, and nothing of any listener.
"""

from fastapi import Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import PyMongoError

from dashboard.stream_queries import read_intake
from segue import store
from segue.clock import Clock
from segue.store import Document
from segue.stream_metrics import Fixed, ages_of, gauges_of


async def read_metrics(
    database: AsyncDatabase[Document], own: CollectorRegistry, clock: Clock
) -> Response:
    """Return the answer to a scrape; without MongoDB it has what this process knows.

    Parameters
    ----------
    own : CollectorRegistry
        Has the figures of this process.
    """
    up = GaugeMetricFamily("segue_mongo_up", "Whether MongoDB answers")
    try:
        told = [*await _read(database, clock), up]
        up.add_metric([], 1)
    except PyMongoError:
        told = [up]
        up.add_metric([], 0)
    registry = CollectorRegistry()
    registry.register(Fixed(told))
    text = generate_latest(registry) + generate_latest(own)
    return Response(text, media_type=CONTENT_TYPE_LATEST)


async def _read(database: AsyncDatabase[Document], clock: Clock) -> list[Metric]:
    """Return one set of figures a query, and sums of the counts."""
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
    now = clock()
    return [*gauges_of(queries, now), ages_of(queries, now), read, late, refused, due]
