"""Notes which lists were shown, in the background: no answer waits for it or fails.

Each list is noted once by a process; another time changes nothing (`segue/shown.py`).
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Final

from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import ConnectionFailure

from dashboard.records import ForYou, ListedTrack
from segue import store
from segue.clock import Clock
from segue.shown import (
    FOR_YOU,
    RADIO,
    ShownList,
    ShownRow,
    delete_lists,
    hours_of,
    named,
    notes_of,
    part_of,
    seen_before,
    shown_id,
    writes_of,
)
from segue.store import Document

_LOG = logging.getLogger(__name__)
_MOST_WAITING: Final = 1_000
_MOST_REMEMBERED: Final = 4_000
_RETRY_S: Final = 1.0
_LAST_S: Final = 2.0


class ShownLists:
    """Takes the lists that are shown, and writes them one after the other.

    Parameters
    ----------
    wait_s : float
        Seconds for which what becomes of them waits for more before it is counted.
    """

    def __init__(
        self, database: AsyncDatabase[Document], wait_s: float, clock: Clock
    ) -> None:
        self._database, self._wait_s, self._clock = database, wait_s, clock
        self._waiting: asyncio.Queue[ShownList] = asyncio.Queue(_MOST_WAITING)
        self._noted: OrderedDict[str, frozenset[str]] = OrderedDict()
        self._writing: asyncio.Task[None] | None = None

    @property
    def n_waiting(self) -> int:
        """How many are still to be written."""
        return self._waiting.qsize()

    def note_for_you(self, for_you: ForYou) -> None:
        """Note a list of recommendations; what newcomers see is none."""
        if not for_you.is_fallback:
            version = for_you.model_version or None
            rows = for_you.tracks
            self._note(for_you.listener, for_you.list_id, FOR_YOU, version, rows)

    def note_radio(
        self,
        user_id: str,
        list_id: str,
        model_version: str | None,
        rows: Sequence[ListedTrack],
    ) -> None:
        """Note what a radio plays next."""
        self._note(user_id, list_id, RADIO, model_version, rows)

    async def close(self) -> None:
        """Wait until all is written, for a moment at most, and end."""
        if self._writing is None:
            return
        try:
            await asyncio.wait_for(self._waiting.join(), _LAST_S)
        except TimeoutError:
            _LOG.warning("%d lists that were shown are lost", self.n_waiting)
        self._writing.cancel()
        await asyncio.gather(self._writing, return_exceptions=True)

    def _note(
        self,
        user_id: str,
        list_id: str,
        surface: str,
        model_version: str | None,
        rows: Sequence[ListedTrack],
    ) -> None:
        if not rows or not self._is_new(shown_id(user_id, list_id), rows):
            return
        listed = [*map(_row, rows)]
        now = self._clock()
        self._put(ShownList(user_id, list_id, surface, model_version, listed, now))

    def _is_new(self, key: str, rows: Iterable[ListedTrack]) -> bool:
        ids = frozenset(each.track.track_id for each in rows)
        before = self._noted.pop(key, frozenset())
        self._noted[key] = before | ids
        if len(self._noted) > _MOST_REMEMBERED:
            self._noted.popitem(last=False)
        return not ids <= before

    def _put(self, shown: ShownList) -> None:
        try:
            self._waiting.put_nowait(shown)
        except asyncio.QueueFull:
            self._noted.pop(shown_id(shown.user_id, shown.list_id), None)
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_all())

    async def _write_all(self) -> None:
        while True:
            shown = await self._waiting.get()
            try:
                await self._write(shown)
            except ConnectionFailure as error:
                _LOG.warning("lists that were shown wait: %s", error)
                await asyncio.sleep(_RETRY_S)
                self._put(shown)
            except Exception:  # the boundary: one bad list is in the way of no other
                _LOG.exception("a list that was shown cannot be noted")
            finally:
                self._waiting.task_done()

    async def _write(self, shown: ShownList) -> None:
        days = self._database[store.SHOWN_DAYS]
        found = await (await days.aggregate(seen_before([shown]))).to_list()
        for place, requests in writes_of([shown], found):
            await self._database[place].bulk_write(requests)
        lists = self._database[store.SHOWN_LISTS]
        hours = hours_of(await lists.find(named([shown]), {"shown_at": 1}).to_list())
        # whoever ends the account later than this deletes what is written by now
        if not await self._database[store.USERS].find_one(shown.user_id, ()):
            await delete_lists(self._database, shown.user_id, self._clock)
        if hours:
            due_at = self._clock() + timedelta(seconds=self._wait_s)
            due = self._database[store.SERVED_DUE]
            await due.bulk_write(notes_of(hours, due_at))


def _row(each: ListedTrack) -> ShownRow:
    part = part_of(each.parts)
    return ShownRow(each.track.track_id, each.rank, part, each.explored)
