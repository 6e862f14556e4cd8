"""Runs the web application under uvicorn, and stops it cleanly."""

import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import uvicorn

from dashboard.app import create_app
from segue.clock import system_clock
from segue.errors import PortInUseError
from segue.events import EventSink
from segue.settings import DashboardSettings, Settings
from segue.store import connect_async

_LOG = logging.getLogger(__name__)
_GRACE_S: Final = 1
_BACKLOG: Final = 1024
_STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


def serve(
    settings: Settings,
    sink: EventSink,
    history: EventSink,
    report: Callable[[str], None] = _LOG.info,
) -> None:
    """Serve the dashboard until SIGINT or SIGTERM, then return.

    Parameters
    ----------
    sink : EventSink
        Takes plays of now.
    history : EventSink
        Takes plays of long ago.
    report : callable
        Takes the address, once somebody who asks there waits no longer in vain.

    Raises
    ------
    PortInUseError
        When somebody else listens on the port of the settings.
    MongoUnreachableError
        When no MongoDB is set; one that is set may be away.
    """
    with listening_socket(settings.dashboard) as listening:
        database = connect_async(settings.mongo)
        app = create_app(settings, database, sink, history, system_clock)
        host, port = listening.getsockname()[:2]
        report(f"the dashboard is at http://{host}:{port}/")
        with _signals_end_only_uvicorn():
            uvicorn.Server(_config(app, settings.dashboard.proxy)).run(
                sockets=[listening]
            )


@contextmanager
def listening_socket(settings: DashboardSettings) -> Iterator[socket.socket]:
    """Listen at the address of the settings; port 0 takes a free one.

    Raises
    ------
    PortInUseError
        When the port is taken, or the address is not of this machine.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((settings.host, settings.port))
            listening.listen(_BACKLOG)
        except OSError as error:
            raise PortInUseError(
                f"cannot listen on {settings.host}:{settings.port} ({error.strerror}); "
                "set SEGUE_DASHBOARD_PORT to a free port (0 takes any)"
            ) from None
        yield listening


def _config(app: object, proxy: str | None) -> uvicorn.Config:
    return uvicorn.Config(
        app,  # type: ignore[arg-type]
        log_config=None,
        access_log=False,
        lifespan="on",
        server_header=False,
        # whoever reaches the port could say that they are somebody else
        proxy_headers=proxy is not None,
        forwarded_allow_ips=proxy or [],
        timeout_graceful_shutdown=_GRACE_S,
        ws_max_size=65_536,
    )


@contextmanager
def _signals_end_only_uvicorn() -> Iterator[None]:
    """Let what comes after `serve` run: uvicorn raises its signals again at the end."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {each: signal.signal(each, lambda *_: None) for each in _STOP_SIGNALS}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
