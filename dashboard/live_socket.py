"""`/ws/live`: a browser says what it looks at, and gets what changes there."""

import asyncio
import json
from collections import Counter
from contextlib import suppress
from typing import Any, Final, NamedTuple

from pymongo.errors import PyMongoError
from starlette.websockets import WebSocket, WebSocketDisconnect

from dashboard.access import who_asks
from dashboard.api.rate_limit import RateLimit
from dashboard.identities import Identities
from dashboard.live import UP_NEXT, Hub, View
from dashboard.security import LOG_IN_FIRST, TRY_LATER
from dashboard.subscriber import Subscriber
from segue.clock import Clock
from segue.roles import Identity, Role

MAX_SOCKETS: Final = 1000
MAX_OWN_SOCKETS: Final = 100
"""Of one listener, in all their tabs and browsers."""
MAX_QUESTIONS: Final = 2000
"""Of one listener in ten seconds: no page asks as often, nor a bench of all pages."""
_MAX_MESSAGE_CHARS: Final = 1000
_MAX_VIEWS: Final = 4
_STILL_LOGGED_IN_S: Final = 5.0
_NOT_UNDERSTOOD: Final = 1008


class LiveSockets:
    """Serves `/ws/live`; each socket looks at the few views of one page at a time.

    The browser sends `{"page": "for-you"}` whenever its page changes, several names
    with spaces in between or none at all, and a `key` where the page has one; answers
    are those of `Subscriber.next_message`, of who has logged in there. A socket ends
    with its log-in.
    """

    def __init__(self, hub: Hub, identities: Identities, clock: Clock) -> None:
        self._hub, self._identities = hub, identities
        self._questions = RateLimit(MAX_QUESTIONS, clock)
        self._open: Counter[str] = Counter()

    async def serve(self, socket: WebSocket) -> None:
        """Serve one socket until its browser goes."""
        identity = who_asks()
        name = identity.user_id
        if self._open.total() >= MAX_SOCKETS or self._open[name] >= MAX_OWN_SOCKETS:
            await socket.close(TRY_LATER)
            return
        await socket.accept()
        self._open[name] += 1
        ending = asyncio.create_task(self._end_with_login(socket, identity))
        try:
            await self._follow(socket, identity)
        finally:
            ending.cancel()
            self._open -= Counter([name])

    async def _end_with_login(self, socket: WebSocket, identity: Identity) -> None:
        is_same = True
        while is_same:
            await asyncio.sleep(_STILL_LOGGED_IN_S)
            with suppress(PyMongoError):
                is_same = await self._identities.of(socket.headers) == identity
        with suppress(RuntimeError):  # the browser has gone just now
            await socket.close(LOG_IN_FIRST)

    async def _follow(self, socket: WebSocket, identity: Identity) -> None:
        # the player is on every page: it is told of each new list
        following = [self._look(socket, View(UP_NEXT, identity.user_id))]
        try:
            while True:
                text = await socket.receive_text()
                if self._questions.count(identity.user_id).is_used_up:
                    await socket.close(TRY_LATER)
                    return
                asked = asked_views(text, identity, self._hub)
                if asked is None:
                    await socket.close(_NOT_UNDERSTOOD)
                    return
                for looked in following[1:]:
                    await self._leave(looked)
                following[1:] = [self._look(socket, view) for view in asked]
        except (WebSocketDisconnect, KeyError):  # KeyError: bytes instead of text
            return
        finally:
            for looked in following:
                await self._leave(looked)

    def _look(self, socket: WebSocket, view: View) -> "_Looked":
        subscriber = Subscriber()
        self._hub.subscribe(view, subscriber)
        return _Looked(view, subscriber, asyncio.create_task(_send(socket, subscriber)))

    async def _leave(self, looked: "_Looked") -> None:
        looked.sending.cancel()
        await asyncio.gather(looked.sending, return_exceptions=True)
        self._hub.unsubscribe(looked.view, looked.subscriber)


class _Looked(NamedTuple):
    """A view that a socket looks at, and the task that sends it."""

    view: View
    subscriber: Subscriber
    sending: "asyncio.Task[None]"


def asked_views(message: str, identity: Identity, hub: Hub) -> list[View] | None:
    """Return the views that a browser asks for; None where it may not have them all."""
    if len(message) > _MAX_MESSAGE_CHARS:
        return None
    try:
        asked: Any = json.loads(message)
    except ValueError:
        return None
    if not isinstance(asked, dict):
        return None
    names, key = asked.get("page"), asked.get("key", "")
    if not isinstance(names, str) or not isinstance(key, str):
        return None
    # more would be as many channels; the page with most has three
    named = list(dict.fromkeys(names.split()))[: _MAX_VIEWS + 1]
    views = [view_of(name, key, identity, hub) for name in named]
    found = [view for view in views if view is not None]
    return found if len(found) == len(views) <= _MAX_VIEWS else None


def view_of(name: str, key: str, identity: Identity, hub: Hub) -> View | None:
    """Return a view as somebody sees it; None where there is none for them."""
    page = hub.page(name)
    if page is None or not identity.role.may(page.role):
        return None
    # one channel serves all analysts, each listener has their own
    own = identity.user_id if page.role is Role.LISTENER else ""
    return View(name, own, key)


async def _send(socket: WebSocket, subscriber: Subscriber) -> None:
    while True:
        await socket.send_text(await subscriber.next_message())
