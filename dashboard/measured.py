"""How long the web application takes to answer, and who looks, for Prometheus."""

from collections.abc import Iterator
from time import perf_counter
from typing import Final

from prometheus_client import CollectorRegistry, Histogram, ProcessCollector
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard.access import is_page
from dashboard.live import Hub

_BUCKETS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5)
_KINDS: Final = frozenset(
    {
        *("_dash-component-suites", "_dash-dependencies", "_dash-layout"),
        *("_dash-update-component", "1", "assets", "covers", "healthz", "log-in"),
        *("media", "metrics", "scripts", "sign-up"),
    }
)
_API: Final = frozenset(
    {
        *(
            "analytics",
            "delete-account",
            "events",
            "log-in",
            "log-out",
            "music",
            "password",
        ),
        *("playlists", "radio", "reactions", "recommendations", "shared", "sign-up"),
        "tokens",
    }
)


class Measured:
    """ASGI middleware before all others.

    Parameters
    ----------
    registry : CollectorRegistry
        Takes the figures: they are of this process.
    """

    def __init__(self, app: ASGIApp, registry: CollectorRegistry) -> None:
        self._app = app
        self._answers = Histogram(
            "segue_http_seconds",
            "Time until an answer has begun, by what was asked for",
            ("kind", "status"),
            buckets=_BUCKETS_S,
            registry=registry,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on, and note how long it took until the answer began."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        kind, began_at = kind_of(scope["path"]), perf_counter()

        async def send_and_note(message: Message) -> None:
            if message["type"] == "http.response.start":
                answers = self._answers.labels(kind, str(message["status"]))
                answers.observe(perf_counter() - began_at)
            await send(message)

        await self._app(scope, receive, send_and_note)


class LiveFigures(Collector):
    """Tells how many views are looked at, and by how many sockets."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def collect(self) -> Iterator[Metric]:
        """Yield the numbers of this moment."""
        views = GaugeMetricFamily("segue_live_views", "Views that are rendered now")
        views.add_metric([], self._hub.n_views)
        lookers = GaugeMetricFamily("segue_live_subscribers", "Who look at them")
        lookers.add_metric([], self._hub.n_subscribers)
        yield from (views, lookers)


def process_registry() -> CollectorRegistry:
    """Return a registry that has the figures of this process."""
    registry = CollectorRegistry()
    ProcessCollector(namespace="segue_dashboard", registry=registry)
    return registry


def kind_of(path: str) -> str:
    """Return what is asked for: one of few words, whatever the address is.

    Examples
    --------
    >>> kind_of("/artist/a1"), kind_of("/api/playlists/0/add"), kind_of("/etc/passwd")
    ('page', 'api/playlists', 'other')
    """
    if is_page(path):
        return "page"
    first, _, rest = path.removeprefix("/").partition("/")
    if first == "api":
        second = rest.partition("/")[0]
        return f"api/{second}" if second in _API else "other"
    return first if first in _KINDS else "other"
