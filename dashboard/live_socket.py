"""`/ws/live`: a browser says what it looks at, and gets what changes there."""

import asyncio
import json
from contextlib import suppress
from typing import Any, Final

from pymongo.errors import PyMongoError
from starlette.websockets import WebSocket, WebSocketDisconnect

from dashboard.access import who_asks
from dashboard.identities import Identities
from dashboard.live import ANALYTICS, FOR_YOU, Hub, Subscriber, View
from dashboard.security import LOG_IN_FIRST, TRY_LATER
from segue.roles import Identity, Role

MAX_SOCKETS: Final = 1000
_MAX_MESSAGE_CHARS: Final = 1000
_STILL_LOGGED_IN_S: Final = 5.0
_NOT_UNDERSTOOD: Final = 1008


class LiveSockets:
    """Serves `/ws/live`; each socket looks at one view at a time.

    The browser sends `{"page": "for-you"}` whenever its page changes; answers are those
    of `Subscriber.next_message`, of who has logged in there. A socket ends with its
    log-in.
    """

    def __init__(self, hub: Hub, identities: Identities) -> None:
        self._hub, self._identities = hub, identities
        self._n_open = 0

    async def serve(self, socket: WebSocket) -> None:
        """Serve one socket until its browser goes."""
        if self._n_open >= MAX_SOCKETS:
            await socket.close(TRY_LATER)
            return
        await socket.accept()
        self._n_open += 1
        identity = who_asks()
        ending = asyncio.create_task(self._end_with_login(socket, identity))
        try:
            await self._follow(socket, identity)
        finally:
            ending.cancel()
            self._n_open -= 1

    async def _end_with_login(self, socket: WebSocket, identity: Identity) -> None:
        is_same = True
        while is_same:
            await asyncio.sleep(_STILL_LOGGED_IN_S)
            with suppress(PyMongoError):
                is_same = await self._identities.of(socket.headers) == identity
        with suppress(RuntimeError):  # the browser has gone just now
            await socket.close(LOG_IN_FIRST)

    async def _follow(self, socket: WebSocket, identity: Identity) -> None:
        view, sending = None, None
        subscriber = Subscriber()
        try:
            while True:
                asked = asked_view(await socket.receive_text(), identity)
                if asked is None:
                    await socket.close(_NOT_UNDERSTOOD)
                    return
                await self._leave(view, subscriber, sending)
                view, subscriber = asked, Subscriber()
                self._hub.subscribe(view, subscriber)
                sending = asyncio.create_task(_send(socket, subscriber))
        except (WebSocketDisconnect, KeyError):  # KeyError: bytes instead of text
            return
        finally:
            await self._leave(view, subscriber, sending)

    async def _leave(
        self,
        view: View | None,
        subscriber: Subscriber,
        sending: "asyncio.Task[None] | None",
    ) -> None:
        if sending is not None:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
        if view is not None:
            self._hub.unsubscribe(view, subscriber)


def asked_view(message: str, identity: Identity) -> View | None:
    """Return the view that a browser asks for; None for what it does not get.

    Examples
    --------
    >>> ada = Identity("ada", Role.LISTENER)
    >>> asked_view('{"page": "for-you"}', ada)
    View(page='for-you', listener='ada')
    >>> asked_view('{"page": "analytics"}', ada) is None
    True
    """
    if len(message) > _MAX_MESSAGE_CHARS:
        return None
    try:
        asked: Any = json.loads(message)
    except ValueError:
        return None
    if not isinstance(asked, dict):
        return None
    if asked.get("page") == ANALYTICS and identity.role.may(Role.ANALYST):
        return View(ANALYTICS)
    if asked.get("page") == FOR_YOU:
        return View(FOR_YOU, identity.user_id)
    return None


async def _send(socket: WebSocket, subscriber: Subscriber) -> None:
    while True:
        await socket.send_text(await subscriber.next_message())
