"""The whole web application, put together from its parts."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from time import perf_counter
from typing import Final

from dash import Dash
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import PyMongoError
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp

from dashboard import doors, media, scripts
from dashboard.access import LIVE_PATH
from dashboard.analytics.answers import Answers
from dashboard.analytics.views import AnalyticsViews
from dashboard.api import analytics, events, radio, reactions, recommendations
from dashboard.api.accounts import AccountDoor
from dashboard.api.listenbrainz import Door
from dashboard.api.music import MusicDoor
from dashboard.api.playlists import PlaylistDoor
from dashboard.api.taste_map import MapDoor
from dashboard.api.tokens import TokenDoor
from dashboard.catalogue import Catalogue
from dashboard.first_page import Pages
from dashboard.home_views import HomeViews
from dashboard.identities import Identities
from dashboard.importing import Importer
from dashboard.kept_out import KeptOut
from dashboard.live import Hub
from dashboard.live_socket import LiveSockets
from dashboard.measured import LiveFigures, Measured, process_registry
from dashboard.metrics import read_metrics
from dashboard.own_views import OwnViews
from dashboard.pages import frame, search
from dashboard.pages.layouts import page_layouts
from dashboard.playlist_views import PlaylistViews
from dashboard.playlists import Playlists
from dashboard.radio import Radio
from dashboard.refusals import RefusedError
from dashboard.scripts import script_tags
from dashboard.security import Gate
from dashboard.shown import ShownLists
from dashboard.theme import css_variables
from dashboard.transcoding import Transcoder
from dashboard.views import Views
from dashboard.wire import Wire
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
    catalogue = Catalogue(database, settings.home)
    layouts = page_layouts(catalogue, Playlists(database, clock))
    dash = create_pages(server, layouts, catalogue)
    app = Wire(Pages(server, layouts, server.state.hub))
    gate = Gate(app, settings.dashboard, identities, dash.csp_hashes())
    return Measured(gate, server.state.registry)


def create_server(
    settings: Settings,
    database: AsyncDatabase[Document],
    sink: EventSink,
    history: EventSink,
    identities: Identities,
    clock: Clock,
) -> FastAPI:
    """Return all routes but those of Dash, without the gate before them."""
    kept_out = KeptOut(database, settings.taste.heard_s)
    answers = Answers(database, settings.home)
    shown = ShownLists(database, settings.stream.hours_wait_s, clock)
    views = {
        **Views(database, settings, clock, shown).pages(),
        **HomeViews(database, settings, kept_out, clock).pages(),
        **OwnViews(database, clock).pages(),
        **PlaylistViews(database, clock).pages(),
        **AnalyticsViews(answers, clock).pages(),
    }
    station = Radio(database, settings.home, settings.taste, kept_out, clock)
    hub = Hub(database, views)
    live, past = events.Publisher(sink), events.Publisher(history)
    transcoder = Transcoder(settings.home / "transcoded", settings.dashboard)
    importer = Importer(settings)
    server = FastAPI(
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=_lifespan(
            hub, station, (live, past), (transcoder, importer, shown), database
        ),
    )
    ours = settings.dashboard
    for router in (
        events.create_router(live),
        Door(settings, database, live, past, clock).router(),
        AccountDoor(ours, database, identities, live, clock).router(),
        PlaylistDoor(database, clock).router(),
        doors.create_router(ours.sign_up),
        scripts.create_router(),
        reactions.create_router(database),
        recommendations.create_router(database, settings.taste.n_recommendations),
        radio.create_router(station, shown, clock),
        analytics.create_router(answers, clock),
        MapDoor(answers, clock).router(),
        media.create_router(database, settings.home, transcoder),
        MusicDoor(settings, database, importer).router(),
        TokenDoor(database, clock).router(),
    ):
        server.include_router(router)
    server.state.hub, server.state.registry = hub, process_registry()
    server.state.registry.register(LiveFigures(hub))
    server.add_api_route("/healthz", _health(database), methods=["GET"])
    metrics = _metrics(database, server.state.registry, clock)
    server.add_api_route("/metrics", metrics, methods=["GET", "HEAD"])
    server.add_api_websocket_route(LIVE_PATH, LiveSockets(hub, identities, clock).serve)
    return server


def create_pages(
    server: FastAPI, layouts: Mapping[str, frame.Layout], catalogue: Catalogue
) -> Dash:
    """Add the Dash pages to `server`; routes that are added later are not reached."""
    app = Dash(
        "dashboard",
        server=server,  # type: ignore[arg-type]
        backend="fastapi",
        title="Segue",
        update_title="",
        assets_folder=str(_HERE / "assets"),
        assets_ignore=r"theme\.js",  # stands in the head
        index_string=_index(),
        suppress_callback_exceptions=True,
        on_error=_report,
    )
    # the pages push over our own socket; Dash would open one more in each tab
    app.backend.websocket_capability = False
    app.layout = frame.layout
    frame.register(app, layouts)
    search.register(app, catalogue)
    return app


def _report(error: Exception) -> None:
    """Log what a callback raised: Dash alone would answer 500 without a word."""
    _LOG.error("a callback failed", exc_info=error)


def _index() -> str:
    text = (_HERE / "index.html").read_text(encoding="utf-8")
    ours = {
        "theme": css_variables(),
        "own_scripts": script_tags(*scripts.NAMES),
    }
    for name, value in ours.items():
        text = text.replace(f"{{%{name}%}}", value)
    return text


async def _warm_up(station: Radio) -> None:
    """Make ready what the first answer of a process would wait for."""
    began_at = perf_counter()
    try:
        await station.warm_up()
    except (RefusedError, PyMongoError) as error:
        _LOG.info("the first radio will take longer: %s", error)
    except Exception:  # the boundary: who asks gets an answer, or this error
        _LOG.exception("cannot be made ready to rank")
    else:
        _LOG.info("ready to rank after %.1f s", perf_counter() - began_at)


def _lifespan(
    hub: Hub,
    station: Radio,
    publishers: tuple[events.Publisher, ...],
    workers: tuple[Transcoder | Importer | ShownLists, ...],
    database: AsyncDatabase[Document],
) -> Lifespan:
    @asynccontextmanager
    async def run(_server: FastAPI) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(each) for each in (hub.watch(), _warm_up(station))]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            hub.close()
            await asyncio.gather(*(worker.close() for worker in workers))
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


def _metrics(
    database: AsyncDatabase[Document], own: CollectorRegistry, clock: Clock
) -> Callable[[], object]:
    async def metrics() -> Response:
        return await read_metrics(database, own, clock)

    return metrics
