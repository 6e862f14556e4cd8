"""Every page from Dash's one index, and in it what is shown before Dash has begun.

Dash and Mantine take most of a second of a browser's time until a page is there;
`browser/pages/first.js` draws the page from this meanwhile, or its frame alone.
"""

import json
import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from dash import html
from pymongo.errors import PyMongoError
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard.access import KEYED_PAGES, is_page, who_asks
from dashboard.live import Hub
from dashboard.live_socket import view_of
from dashboard.pages.frame import Layout, bare, page_of
from dashboard.pages.shelves import is_missing
from dashboard.subscriber import Properties
from dashboard.views import as_text
from segue.roles import Identity

_LOG = logging.getLogger(__name__)
_PLACE: Final = b"{%first_page%}"
EARLY: Final = ("", "album", "artist", "genre", "track")
"""Pages, by the first word of the address, that are all of `dash.html`, and of which
no script of ours fills a part."""


class Pages:
    """ASGI middleware before Dash, behind the gate.

    Parameters
    ----------
    layouts : mapping
        By the first word of the address, "" for the first page.
    hub : Hub
        Has what pages show.
    """

    def __init__(self, app: ASGIApp, layouts: Mapping[str, Layout], hub: Hub) -> None:
        self._app, self._layouts, self._hub = app, layouts, hub

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with a page, HEAD without its body, or hand on."""
        if scope["type"] != "http" or not is_page(scope["path"]):
            await self._app(scope, receive, send)
            return
        path, is_head = scope["raw_path"].decode("latin-1"), scope["method"] == "HEAD"
        index = {**scope, "method": "GET", "path": "/", "raw_path": b"/"}
        content, status = await self._read(path)
        filled = _filled(send, content, status, is_head)
        await self._app(index, receive, filled)

    async def _read(self, path: str) -> tuple[bytes, HTTPStatus]:
        """Return the page at an address as JSON that may stand within HTML.

        Whatever is wrong with a page, its frame and the player are there.
        """
        status = HTTPStatus.OK
        identity = who_asks()
        parts = {**_text(frame=bare(identity), page=None), "props": "{}"}
        name = path.removeprefix("/").partition("/")[0]
        if name in (*EARLY, *KEYED_PAGES) and not self._hub.is_away:
            try:
                page = await page_of(path, identity, self._layouts)
                if is_missing(page):
                    status = HTTPStatus.NOT_FOUND
                if name in EARLY:
                    parts.update(await self._early(page, identity))
            except PyMongoError as error:  # the socket will say so
                _LOG.warning("%s is sent empty: %s", path, error)
            except Exception:  # the boundary: one bad document takes no page away
                _LOG.exception("%s cannot be shown at once", path)
        return _joined(parts).replace("<", "\\u003c").encode(), status

    async def _early(self, page: html.Div, identity: Identity) -> Properties:
        """Return a page and the first of what is live there, as its socket shows it."""
        told = _text(page=page)
        live = json.loads(told["page"])["props"].get("data-live", "").split()
        view = view_of(live[0], "", identity, self._hub) if live else None
        if view is not None:
            told["props"] = _joined(await self._hub.read(view))
        return told


def _text(**parts: Any) -> dict[str, str]:
    return dict(as_text(parts))


def _joined(parts: Mapping[str, str]) -> str:
    pairs = [f"{json.dumps(name)}:{text}" for name, text in parts.items()]
    return f"{{{','.join(pairs)}}}"


def _filled(send: Send, content: bytes, status: HTTPStatus, is_head: bool) -> Send:
    """Put `content` into the index, which comes in one piece."""
    head: Message = {}

    async def send_filled(message: Message) -> None:
        if message["type"] == "http.response.start":
            head.update(message)
            return
        body = message["body"].replace(_PLACE, content)
        headers = MutableHeaders(scope=head)
        headers["content-length"] = str(len(body))
        headers["cache-control"] = "no-store"  # it is of one listener
        await send({**head, "status": int(status)})
        await send({**message, "body": b"" if is_head else body})

    return send_filled
