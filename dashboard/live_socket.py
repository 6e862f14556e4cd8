"""`/ws/live`: a browser says what it looks at, and gets what changes there."""

import asyncio
import json
from typing import Any, Final

from starlette.websockets import WebSocket, WebSocketDisconnect

from dashboard.listeners import is_listener
from dashboard.live import ANALYTICS, FOR_YOU, Hub, Subscriber, View

MAX_SOCKETS: Final = 1000
_MAX_MESSAGE_CHARS: Final = 1000
_TRY_LATER: Final = 1013
_NOT_UNDERSTOOD: Final = 1008


class LiveSockets:
    """Serves `/ws/live`; each socket looks at one view at a time.

    The browser sends `{"page": "for-you", "listener": "ada"}` whenever its page
    changes; answers are those of `Subscriber.next_message`.
    """

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._n_open = 0

    async def serve(self, socket: WebSocket) -> None:
        """Serve one socket until its browser goes."""
        if self._n_open >= MAX_SOCKETS:
            await socket.close(_TRY_LATER)
            return
        await socket.accept()
        self._n_open += 1
        try:
            await self._follow(socket)
        finally:
            self._n_open -= 1

    async def _follow(self, socket: WebSocket) -> None:
        view, sending = None, None
        subscriber = Subscriber()
        try:
            while True:
                asked = asked_view(await socket.receive_text())
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


def asked_view(message: str) -> View | None:
    """Return the view that a browser asks for; None for what is not understood.

    Examples
    --------
    >>> asked_view('{"page": "for-you", "listener": "ada"}')
    View(page='for-you', listener='ada')
    >>> asked_view("[]") is None
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
    if asked.get("page") == ANALYTICS:
        return View(ANALYTICS)
    listener = asked.get("listener")
    if asked.get("page") == FOR_YOU and is_listener(listener):
        return View(FOR_YOU, str(listener))
    return None


async def _send(socket: WebSocket, subscriber: Subscriber) -> None:
    while True:
        await socket.send_text(await subscriber.next_message())
