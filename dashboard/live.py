"""Push: one change stream of MongoDB, many sockets.

The `Hub` watches the database. A change marks the views that it touches; each view
that somebody looks at is rendered once, and each socket gets the properties that
differ from those it has. A slow socket skips states, it never holds others up.
When MongoDB is away the sockets are told so, and when it is back, everything that
is looked at is rendered anew, so that nothing in between can be missed.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import OperationFailure, PyMongoError

from dashboard.subscriber import Properties, Subscriber
from segue import store
from segue.roles import Role
from segue.store import Document

_LOG = logging.getLogger(__name__)

FOR_YOU: Final = "for-you"
HORIZONS: Final = "horizons"
HOME_SHELVES: Final = "home-shelves"
UP_NEXT: Final = "up-next"
_PERSONAL: Final = frozenset(
    {
        store.RECOMMENDATIONS,
        store.TASTES,
        store.LISTENS,
        store.REACTIONS,
        store.BLOCKS,
        store.PLAYLISTS,
        store.FORGETS,
    }
)
"""Collections of which each document is of the listener whom its `_id` begins with."""
_AWAIT_MS: Final = 500
_RETRY_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class View:
    """What a socket looks at: a page, for one listener where the page has one.

    Attributes
    ----------
    key : str
        Which of the page's subjects, where it has several.
    """

    page: str
    listener: str = ""
    key: str = ""


Render = Callable[[View], Awaitable[Properties]]


class LivePage(NamedTuple):
    """A page that is pushed.

    Attributes
    ----------
    render : callable
        Reads a view and returns its properties; may raise `PyMongoError`.
    shows : frozenset of str
        Collections of which it shows something.
    pause_s : float
        Shortest time between two renderings.
    refresh_s : float, optional
        Longest time without one; None: no limit.
    role : Role
        Who may look at it. What a listener may see is of the listener alone.
    share : float
        Largest part of the time that a view of it is rendered in; 1: no limit.
    """

    render: Render
    shows: frozenset[str]
    pause_s: float
    refresh_s: float | None = None
    role: Role = Role.LISTENER
    share: float = 1.0

    def pause_after(self, took_s: float) -> float:
        """Return how long a view rests that took so long to render."""
        return max(self.pause_s, took_s * (1 / self.share - 1))

    def is_touched(self, view: View, collection: str, key: object) -> bool:
        """Tell whether a changed document may change what `view` shows."""
        if collection not in self.shows:
            return False
        if not view.listener or collection not in _PERSONAL:
            return True
        return str(key).split("|", 1)[0] == view.listener


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
    pages : mapping
        By name.
    """

    def __init__(
        self, database: AsyncDatabase[Document], pages: Mapping[str, LivePage]
    ) -> None:
        self._database = database
        self._pages = pages
        self._channels: dict[View, _Channel] = {}
        self._status = "ok"
        self._token: Mapping[str, Any] | None = None

    def page(self, name: object) -> LivePage | None:
        """Return the page of a name; None where there is none."""
        return self._pages.get(name) if isinstance(name, str) else None

    async def read(self, view: View) -> Properties:
        """Return what `view` shows now; may raise `PyMongoError`."""
        channel = self._channels.get(view)
        if channel is not None and channel.last:
            return channel.last
        return await self._pages[view.page].render(view)

    @property
    def is_away(self) -> bool:
        """Whether MongoDB did not answer when it was last asked."""
        return self._status != "ok"

    @property
    def n_views(self) -> int:
        """Number of views that are looked at now."""
        return len(self._channels)

    @property
    def n_subscribers(self) -> int:
        """Number of those who look at a view now, each view apart."""
        return sum(len(channel.subscribers) for channel in self._channels.values())

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
        shown = frozenset().union(*(page.shows for page in self._pages.values()))
        pipeline: list[Mapping[str, Any]] = [
            {"$match": {"ns.coll": {"$in": sorted(shown)}}},
            {"$project": {"ns.coll": 1, "documentKey": 1}},
        ]
        stream = await self._database.watch(
            pipeline, resume_after=self._token, max_await_time_ms=_AWAIT_MS
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
        for view, channel in self._channels.items():
            if self._pages[view.page].is_touched(view, collection, key):
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
        page = self._pages[view.page]
        while True:
            await _set_within(channel.changed, page.refresh_s)
            channel.changed.clear()
            start = time.monotonic()
            try:
                channel.last = await page.render(view)
            except PyMongoError as error:
                self._set_away(error)
            except Exception:  # the boundary: one bad document ends no view for good
                _LOG.exception("%s cannot be shown", view)
            else:
                for subscriber in channel.subscribers:
                    subscriber.offer(channel.last)
            await asyncio.sleep(page.pause_after(time.monotonic() - start))


async def _set_within(event: asyncio.Event, seconds: float | None) -> None:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return


def _cancel(task: asyncio.Task[None] | None) -> None:
    if task is not None:
        task.cancel()
