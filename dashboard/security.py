"""The gate before all routes: who may ask, for what, and how much.

What it lets through gets the headers that keep a browser from running or sending
anything else than our own files.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Sequence
from http import HTTPStatus
from typing import Final
from urllib.parse import SplitResult, quote, urlsplit

from pymongo.errors import PyMongoError
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard.access import (
    LIVE_PATH,
    SAFE,
    SCROBBLERS,
    UPLOADS,
    check_role,
    is_page,
    remember,
    role_needed,
)
from dashboard.doors import NOT_THERE
from dashboard.identities import Identities
from dashboard.playlist_files import MAX_FILE_BYTES
from dashboard.refusals import (
    RefusedError,
    listenbrainz_error,
    mongo_away,
    no_listener,
)
from segue.roles import Identity, Role
from segue.settings import DashboardSettings

MAX_BODY_BYTES: Final = 256 * 1024
MAX_LISTENS_BYTES: Final = 10_240 * 1000
_BODY_S: Final = 60.0
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
_WILDCARDS: Final = ("0.0.0.0", "::")  # noqa: S104
_OWN_SITES: Final = ("same-origin", "none")


LOG_IN_FIRST: Final = 4401
"""Code by which a socket closes for want of a log-in."""
TRY_LATER: Final = 1013
"""Code by which a socket closes because something is away, or full."""


class Gate:
    """ASGI middleware; nothing can be reached around it, only the clock is before it.

    Parameters
    ----------
    script_hashes : sequence of str
        CSP hashes of the inline scripts of the page.
    """

    def __init__(
        self,
        app: ASGIApp,
        settings: DashboardSettings,
        identities: Identities,
        script_hashes: Sequence[str],
    ) -> None:
        self._app = app
        self._identities = identities
        self._bound_to, self._public_host = settings.host, settings.public_host
        self._headers = security_headers(script_hashes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one connection through, or refuse it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._socket(scope, receive, send)
        else:
            await self._http(scope, receive, self._with_headers(send))

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            headers = Headers(scope=scope)
            self._check_host(headers)
            check_origin(headers)
            if scope["path"] != LIVE_PATH:
                raise RefusedError(404, "not_found", f"no socket at {scope['path']}")
        except RefusedError as refusal:
            await receive()
            await send(
                {"type": "websocket.close", "code": 4003, "reason": refusal.reason}
            )
            return
        try:
            identity = await self._identify(headers)
            check_role(identity, Role.LISTENER)
        except RefusedError as refusal:
            # a browser tells its page the code of an open socket only
            is_nobody = refusal.status == HTTPStatus.UNAUTHORIZED
            code = LOG_IN_FIRST if is_nobody else TRY_LATER
            await receive()
            await send({"type": "websocket.accept"})
            await send({"type": "websocket.close", "code": code})
            return
        remember(identity)
        await self._app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            headers = Headers(scope=scope)
            self._check_host(headers)
            needed = role_needed(scope["method"], scope["path"])
            is_from_scrobbler = scope["path"].startswith(SCROBBLERS)
            if scope["method"] not in SAFE or is_from_scrobbler:
                check_origin(headers)
            identity = None if needed is None else await self._identify(headers)
            check_role(identity, needed)
            if scope["method"] not in SAFE:
                if is_from_scrobbler and await self._identify(headers) is None:
                    # megabytes of nobody are not taken in
                    raise no_listener(has_token="authorization" in headers)
                receive = await _checked_body(headers, receive, scope["path"])
        except RefusedError as refusal:
            accept = Headers(scope=scope).get("accept", "")
            await refused(refusal, scope["path"], accept)(scope, receive, send)
            return
        remember(identity)
        await self._app(scope, receive, send)

    async def _identify(self, headers: Headers) -> Identity | None:
        try:
            return await self._identities.of(headers)
        except PyMongoError:
            raise mongo_away() from None

    def _check_host(self, headers: Headers) -> None:
        name = _split(f"//{headers.get('host', '')}").hostname or ""
        is_public = name == self._public_host
        if not is_public and not is_own_host(name, self._bound_to):
            raise RefusedError(
                400, "wrong_host", f"this is not {name!r}; ask for {self._bound_to}"
            )

    def _with_headers(self, send: Send) -> Send:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        return send_with_headers


def security_headers(script_hashes: Sequence[str]) -> dict[str, str]:
    """Return the headers of every answer."""
    policy = {
        "default-src": "'self'",
        "script-src": " ".join(("'self'", *script_hashes)),
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "media-src": "'self' blob:",
        "worker-src": "'self' blob:",
        "object-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }
    return {
        "content-security-policy": "; ".join(f"{k} {v}" for k, v in policy.items()),
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
    }


def is_own_host(name: str, bound_to: str) -> bool:
    """Tell whether `name` in a Host header is ours; foreign names are DNS rebinding.

    Examples
    --------
    >>> is_own_host("localhost", "127.0.0.1"), is_own_host("evil.example", "0.0.0.0")
    (True, False)
    """
    if name in _LOOPBACK or name == bound_to:
        return True
    return bound_to in _WILDCARDS and (
        _is_address(name) or name == socket.gethostname()
    )


def check_origin(headers: Headers) -> None:
    """Raise `RefusedError` when a browser says that another site is asking."""
    site = headers.get("sec-fetch-site")
    origin = headers.get("origin")
    if site is not None and site not in _OWN_SITES:
        raise RefusedError(403, "foreign_site", f"the request comes from a {site} page")
    if origin is not None and _split(origin).netloc != headers.get("host"):
        raise RefusedError(
            403, "foreign_origin", f"the request comes from {origin[:100]}"
        )


def _split(address: str) -> SplitResult:
    try:
        return urlsplit(address)
    except ValueError:
        raise RefusedError(
            400, "bad_address", f"{address[:100]!r} is no address"
        ) from None


def refused(refusal: RefusedError, path: str, accept: str = "") -> Response:
    """Return a refusal as an HTTP answer, in the shape that callers of `path` know.

    Parameters
    ----------
    accept : str
        Of the request: a browser that opens an address there wants HTML.
    """
    if path.startswith(SCROBBLERS):
        return listenbrainz_error(refusal.status, refusal.detail)
    if refusal.status == HTTPStatus.UNAUTHORIZED and is_page(path):
        return RedirectResponse(f"/log-in?next={quote(path)}", 303)
    if refusal.status == HTTPStatus.NOT_FOUND and "text/html" in accept:
        return HTMLResponse(NOT_THERE, refusal.status)
    return refusal.answer()


async def _checked_body(headers: Headers, receive: Receive, path: str) -> Receive:
    """Read the body up to the limit and hand it on as one message."""
    limit, wanted = _limits(path)
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    # some scrobblers do not say what they send
    if kind != wanted and (kind or not path.startswith(SCROBBLERS)):
        raise RefusedError(415, "wrong_type", f"got {kind or 'no type'}, want {wanted}")
    declared = headers.get("content-length", "0")
    if not declared.isdecimal() or int(declared) > limit:
        raise RefusedError(413, "too_large", f"at most {limit} bytes are taken")
    try:
        async with asyncio.timeout(_BODY_S):
            return _once(await whole_body(receive, limit), receive)
    except TimeoutError:
        raise RefusedError(
            408, "too_slow", f"the body has to be here within {_BODY_S:.0f} s"
        ) from None


async def whole_body(receive: Receive, limit: int) -> bytes:
    """Return a body, which has to be there to its end and within the limit."""
    body, is_more = bytearray(), True
    while is_more:
        message = await receive()
        if message["type"] == "http.disconnect":  # half a file is no file
            raise RefusedError(400, "cut_off", "the body broke off")
        body += message.get("body", b"")
        if len(body) > limit:
            raise RefusedError(413, "too_large", f"at most {limit} bytes are taken")
        is_more = message.get("more_body", False)
    return bytes(body)


def _limits(path: str) -> tuple[int, str]:
    """Return how many bytes are taken there, and of which type."""
    if path in UPLOADS:
        # of a type that no form of another site can send
        return MAX_FILE_BYTES, "application/octet-stream"
    if path.startswith(SCROBBLERS):
        return MAX_LISTENS_BYTES, "application/json"
    return MAX_BODY_BYTES, "application/json"


def _once(body: bytes, receive: Receive) -> Receive:
    is_read = False

    async def receive_whole() -> Message:
        nonlocal is_read
        if is_read:
            return await receive()
        is_read = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_whole


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
