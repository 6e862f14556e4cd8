"""The whole web application, put together from its parts."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Final

from dash import Dash
from fastapi import FastAPI
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import PyMongoError
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp

from dashboard import doors, media
from dashboard.access import LIVE_PATH
from dashboard.api import events, recommendations
from dashboard.api.accounts import AccountDoor
from dashboard.api.listenbrainz import Door
from dashboard.catalogue import Catalogue
from dashboard.identities import Identities
from dashboard.live import Hub
from dashboard.live_socket import LiveSockets
from dashboard.metrics import read_metrics
from dashboard.pages import for_you, frame, search
from dashboard.refusals import json_error
from dashboard.security import Gate
from dashboard.theme import css_variables
from dashboard.views import PAUSES_S, REFRESH_S, Views
from segue.clock import Clock
from segue.events import EventSink
from segue.settings import Settings
from segue.store import Document

_LOG = logging.getLogger(__name__)
_HERE: Final = Path(__file__).parent
Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def create_app(
    settings: Settings,
    database: AsyncDatabase[Document],
    sink: EventSink,
    history: EventSink,
    clock: Clock,
) -> ASGIApp:
    """Return the ASGI application: pages, player, API and live socket.

    Parameters
    ----------
    database : AsyncDatabase
        From `segue.store.connect_async`; its server may be away. It is closed when
        the application ends.
    sink : EventSink
        Takes the player's events; called in a thread of its own.
    history : EventSink
        Takes scrobbled plays of long ago, as `sink`.
    """
    identities = Identities(database, clock)
    server = create_server(settings, database, sink, history, identities, clock)
    pages = create_pages(server, database, Catalogue(database, settings.home))
    return Gate(server, settings.dashboard, identities, pages.csp_hashes())


def create_server(
    settings: Settings,
    database: AsyncDatabase[Document],
    sink: EventSink,
    history: EventSink,
    identities: Identities,
    clock: Clock,
) -> FastAPI:
    """Return all routes but those of Dash, without the gate before them."""
    hub = Hub(database, Views(database, settings, clock).render, PAUSES_S, REFRESH_S)
    live, past = events.Publisher(sink), events.Publisher(history)
    server = FastAPI(
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=_lifespan(hub, (live, past), database),
    )
    ours = settings.dashboard
    for router in (
        events.create_router(live),
        Door(settings, database, live, past, clock).router(),
        AccountDoor(ours, database, identities, live, clock).router(),
        doors.create_router(ours.sign_up),
        recommendations.create_router(database, settings.taste.n_recommendations),
        media.create_router(database, settings.home),
    ):
        server.include_router(router)
    server.add_api_route("/healthz", _health(database), methods=["GET"])
    server.add_api_route("/metrics", _metrics(database, clock), methods=["GET"])
    server.add_api_websocket_route(LIVE_PATH, LiveSockets(hub, identities).serve)
    return server


def create_pages(
    server: FastAPI, database: AsyncDatabase[Document], catalogue: Catalogue
) -> Dash:
    """Add the Dash pages to `server`; routes that are added later are not reached."""
    app = Dash(
        "dashboard",
        server=server,  # type: ignore[arg-type]
        backend="fastapi",
        title="Segue",
        update_title="",
        assets_folder=str(_HERE / "assets"),
        index_string=_index(),
        suppress_callback_exceptions=True,
        on_error=_report,
    )
    # the pages push over our own socket; Dash would open one more in each tab
    app.backend.websocket_capability = False
    app.layout = frame.layout
    frame.register(app, catalogue)
    search.register(app, catalogue)
    for_you.register(app, database)
    return app


def _report(error: Exception) -> None:
    """Log what a callback raised: Dash alone would answer 500 without a word."""
    _LOG.error("a callback failed", exc_info=error)


def _index() -> str:
    text = (_HERE / "index.html").read_text(encoding="utf-8")
    return text.replace("{%theme%}", css_variables())


def _lifespan(
    hub: Hub,
    publishers: tuple[events.Publisher, ...],
    database: AsyncDatabase[Document],
) -> Lifespan:
    @asynccontextmanager
    async def run(_server: FastAPI) -> AsyncIterator[None]:
        watching = asyncio.create_task(hub.watch())
        try:
            yield
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            hub.close()
            for publisher in publishers:
                publisher.close()
            await database.client.close()

    return run


def _health(database: AsyncDatabase[Document]) -> Callable[[], object]:
    async def health() -> JSONResponse:
        try:
            await database.command("ping")
        except PyMongoError:
            return JSONResponse({"status": "degraded", "mongo": "away"}, 503)
        return JSONResponse({"status": "ok", "mongo": "up"})

    return health


def _metrics(database: AsyncDatabase[Document], clock: Clock) -> Callable[[], object]:
    async def metrics() -> Response:
        try:
            return await read_metrics(database, clock)
        except PyMongoError:
            return json_error(503, "mongo_away", "MongoDB does not answer")

    return metrics
