"""How answers travel: small where that helps, and kept by browsers where they may."""

from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_LEVEL: Final = 6
_SUITES: Final = "/_dash-component-suites/"
_OURS: Final = ("/assets/", "/scripts/")
_MOST_KEPT: Final = 64
_OK: Final = 200
_NOT_MODIFIED: Final = 304
# of the whole process: their addresses name the version that is installed
_SUITES_KEPT: Final[dict[str, list[Message]]] = {}


class Wire:
    """ASGI middleware: text goes compressed, audio and parts of files as they are.

    Dash's own scripts are some megabytes that never change while the process runs: they
    are compressed once. Our own assets are kept by the browser where their address says
    which version they are, else asked for again.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = GZipMiddleware(app, compresslevel=_LEVEL)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or hand on."""
        path = scope.get("path", "")
        if scope["type"] == "http" and path.startswith(_OURS):
            send = _with_age(scope, send)
        if not _is_suite(scope):
            await self._app(scope, receive, send)
        elif path in _SUITES_KEPT:
            for message in _SUITES_KEPT[path]:
                await send(_copy(message))
        else:
            await self._keep(scope, receive, send)

    async def _keep(self, scope: Scope, receive: Receive, send: Send) -> None:
        messages = list[Message]()

        async def send_and_note(message: Message) -> None:
            messages.append(_copy(message))
            await send(message)

        await self._app(scope, receive, send_and_note)
        if messages[0].get("status") == _OK and len(_SUITES_KEPT) < _MOST_KEPT:
            _SUITES_KEPT[scope["path"]] = messages


def _is_suite(scope: Scope) -> bool:
    """Whether one of Dash's own scripts is asked for, to be sent compressed."""
    if scope["type"] != "http" or scope["method"] != "GET":
        return False
    headers = Headers(scope=scope)
    is_known = "if-none-match" in headers
    takes_it = "gzip" in headers.get("accept-encoding", "")
    return scope["path"].startswith(_SUITES) and takes_it and not is_known


def _copy(message: Message) -> Message:
    """Return a message of its own: those outside add their headers to it."""
    if "headers" not in message:
        return message
    return {**message, "headers": list(message["headers"])}


def _with_age(scope: Scope, send: Send) -> Send:
    # Dash names the version of an asset in its address, as `?m=…`
    is_named = scope["query_string"].startswith(b"m=")
    age = "public, max-age=31536000, immutable" if is_named else "no-cache"

    async def send_with_age(message: Message) -> None:
        if message.get("status") in (_OK, _NOT_MODIFIED):
            MutableHeaders(scope=message)["cache-control"] = age
        await send(message)

    return send_with_age
