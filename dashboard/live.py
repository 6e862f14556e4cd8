"""Push: one change stream of MongoDB, many sockets.

The `Hub` watches the database. A change marks the views that it touches; each view
that somebody looks at is rendered once, and each socket gets the properties that
differ from those it has. A slow socket skips states, it never holds others up.
When MongoDB is away the sockets are told so, and when it is back, everything that
is looked at is rendered anew, so that nothing in between can be missed.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import OperationFailure, PyMongoError

from segue import store
from segue.store import Document

_LOG = logging.getLogger(__name__)

FOR_YOU: Final = "for-you"
ANALYTICS: Final = "analytics"
_TOUCHED: Final = {
    store.RECOMMENDATIONS: (FOR_YOU, ANALYTICS),
    store.TRACKS: (FOR_YOU,),
    store.TASTE_WINDOWS: (ANALYTICS,),
    store.REJECTED_COUNTS: (ANALYTICS,),
    store.STREAM_PROGRESS: (ANALYTICS,),
}
_PIPELINE: Final[list[Mapping[str, Any]]] = [
    {"$match": {"ns.coll": {"$in": list(_TOUCHED)}}},
    {"$project": {"ns.coll": 1, "documentKey": 1}},
]
_AWAIT_MS: Final = 500
_RETRY_S: Final = 1.0

Properties = Mapping[str, str]
"""JSON text of the properties of each component, by component id."""


@dataclass(frozen=True, slots=True)
class View:
    """What a socket looks at: a page, for one listener where the page has one."""

    page: str
    listener: str = ""


Render = Callable[[View], Awaitable[Properties]]


@dataclass(eq=False)
class Subscriber:
    """One socket's side: the newest state it should have, and what it was sent."""

    _wanted: Properties = field(default_factory=dict)
    _sent: dict[str, str] = field(default_factory=dict)
    _status: str = ""
    _status_sent: str = ""
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def offer(self, properties: Properties) -> None:
        """Put the newest state; one that was not taken yet is replaced."""
        self._wanted = properties
        self._news.set()

    def offer_status(self, status: str) -> None:
        """Say whether MongoDB answers: "ok" or "away"."""
        self._status = status
        self._news.set()

    async def next_message(self) -> str:
        """Wait for a change and return it as JSON text: what differs, no more."""
        while True:
            await self._news.wait()
            self._news.clear()
            message = self._difference()
            if message is not None:
                return message

    def _difference(self) -> str | None:
        new = {k: v for k, v in self._wanted.items() if self._sent.get(k) != v}
        self._sent.update(new)
        if not new and self._status == self._status_sent:
            return None
        self._status_sent = self._status
        props = ",".join(f"{json.dumps(key)}:{text}" for key, text in new.items())
        return f'{{"status":{json.dumps(self._status)},"props":{{{props}}}}}'


@dataclass(eq=False)
class _Channel:
    """A view that is looked at, by whom, and the task that renders it."""

    subscribers: set[Subscriber] = field(default_factory=set)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    last: Properties = field(default_factory=dict)
    task: asyncio.Task[None] | None = None


class Hub:
    """Renders what is looked at whenever MongoDB changes it.

    Parameters
    ----------
    render : callable
        Reads a view and returns its properties; may raise `PyMongoError`.
    pauses_s : mapping
        Shortest time between two renderings of a page, in seconds, by page.
    refresh_s : mapping
        Longest time without rendering a page, in seconds, by page; None: no limit.
    """

    def __init__(
        self,
        database: AsyncDatabase[Document],
        render: Render,
        pauses_s: Mapping[str, float],
        refresh_s: Mapping[str, float | None],
    ) -> None:
        self._database = database
        self._render = render
        self._pauses_s = pauses_s
        self._refresh_s = refresh_s
        self._channels: dict[View, _Channel] = {}
        self._status = "ok"
        self._token: Mapping[str, Any] | None = None

    @property
    def n_views(self) -> int:
        """Number of views that are looked at now."""
        return len(self._channels)

    def subscribe(self, view: View, subscriber: Subscriber) -> None:
        """Send the present state of `view` to `subscriber`, then each change."""
        channel = self._channels.get(view)
        if channel is None:
            channel = self._channels[view] = _Channel()
            channel.task = asyncio.create_task(self._serve(view, channel))
            channel.changed.set()
        channel.subscribers.add(subscriber)
        subscriber.offer_status(self._status)
        if channel.last:
            subscriber.offer(channel.last)

    def unsubscribe(self, view: View, subscriber: Subscriber) -> None:
        """Send nothing more; a view that nobody looks at is not rendered."""
        channel = self._channels.get(view)
        if channel is None:
            return
        channel.subscribers.discard(subscriber)
        if not channel.subscribers:
            del self._channels[view]
            _cancel(channel.task)

    async def watch(self) -> None:
        """Follow the database until cancelled."""
        while True:
            try:
                await self._follow()
            except OperationFailure as error:  # no replica set, or history is lost
                _LOG.warning("change stream failed, looking again: %s", error)
                self._token = None
                self._touch_all()
            except PyMongoError as error:
                self._set_away(error)
            await asyncio.sleep(_RETRY_S)

    def close(self) -> None:
        """Stop rendering."""
        for channel in self._channels.values():
            _cancel(channel.task)
        self._channels.clear()

    async def _follow(self) -> None:
        stream = await self._database.watch(
            _PIPELINE, resume_after=self._token, max_await_time_ms=_AWAIT_MS
        )
        async with stream:
            self._set_status("ok")
            self._touch_all()
            while stream.alive:
                change = await stream.try_next()
                self._token = stream.resume_token
                if change is not None:
                    self._touch(change)
        self._token = None  # the stream has ended, as after a drop

    def _touch(self, change: Mapping[str, Any]) -> None:
        collection = change.get("ns", {}).get("coll", "")
        key = change.get("documentKey", {}).get("_id")
        one_listener = collection == store.RECOMMENDATIONS
        for view, channel in self._channels.items():
            concerned = view.page in _TOUCHED.get(collection, ())
            if view.page == FOR_YOU and one_listener:
                concerned = view.listener == key
            if concerned:
                channel.changed.set()

    def _touch_all(self) -> None:
        for channel in self._channels.values():
            channel.changed.set()

    def _set_away(self, error: PyMongoError) -> None:
        if self._status == "ok":  # once an outage, not once a second
            _LOG.warning("MongoDB is away: %s", error)
        self._set_status("away")

    def _set_status(self, status: str) -> None:
        self._status = status
        for channel in self._channels.values():
            for subscriber in channel.subscribers:
                subscriber.offer_status(status)

    async def _serve(self, view: View, channel: _Channel) -> None:
        while True:
            await _set_within(channel.changed, self._refresh_s[view.page])
            channel.changed.clear()
            try:
                channel.last = await self._render(view)
            except PyMongoError as error:
                self._set_away(error)
            except Exception:  # the boundary: one bad document ends no view for good
                _LOG.exception("%s cannot be shown", view)
            else:
                for subscriber in channel.subscribers:
                    subscriber.offer(channel.last)
            await asyncio.sleep(self._pauses_s[view.page])


async def _set_within(event: asyncio.Event, seconds: float | None) -> None:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return


def _cancel(task: asyncio.Task[None] | None) -> None:
    if task is not None:
        task.cancel()
