"""`/metrics` of the streaming job itself, for Prometheus; off unless a port is set.

The dashboard tells the same of the queries, as long as MongoDB answers; here the
driver's process is told of besides.
"""

import json
import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from prometheus_client import CollectorRegistry, ProcessCollector, start_http_server
from prometheus_client.core import Metric
from prometheus_client.registry import Collector
from pyspark.sql.streaming.query import StreamingQuery

from segue.clock import Clock
from segue.settings import StreamSettings
from segue.store import Document
from segue.stream_metrics import gauges_of
from streaming.progress import progress_document

_LOG = logging.getLogger(__name__)
_HOST: Final = "127.0.0.1"


class _Queries(Collector):
    """Looks at the queries when it is asked."""

    def __init__(
        self, queries: Callable[[], Iterable[StreamingQuery]], clock: Clock
    ) -> None:
        self._queries, self._clock = queries, clock

    def collect(self) -> Iterator[Metric]:
        """Yield the figures of each query's last micro-batch."""
        return gauges_of([*map(_document, self._queries())], self._clock())


@contextmanager
def exporting(
    settings: StreamSettings,
    queries: Callable[[], Iterable[StreamingQuery]],
    clock: Clock,
) -> Iterator[None]:
    """Answer at `stream.metrics_port` of this machine, where it is not 0.

    A port that is taken is said, and the stream goes on without.
    """
    if settings.metrics_port == 0:
        yield
        return
    registry = CollectorRegistry()
    registry.register(_Queries(queries, clock))
    ProcessCollector(namespace="segue_stream", registry=registry)
    with _served(settings.metrics_port, registry):
        yield


@contextmanager
def _served(port: int, registry: CollectorRegistry) -> Iterator[None]:
    served = None
    try:
        served = start_http_server(port, _HOST, registry)
    except OSError as error:
        _LOG.warning(
            "no metrics at port %s (%s); set SEGUE_STREAM_METRICS_PORT to a free one",
            *(port, error.strerror),
        )
    try:
        yield
    finally:
        if served is not None:
            server, thread = served
            server.shutdown()
            server.server_close()
            thread.join()


def _document(query: StreamingQuery) -> Document:
    last = query.lastProgress
    known = progress_document(json.loads(last.json)) if last else {}
    return {"_id": query.name, **known}
