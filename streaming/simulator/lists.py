"""The lists that simulated listeners are recommended, and look at."""

import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

import numpy as np
from pymongo.database import Database

from segue import store
from segue.clock import Clock, rfc3339, system_clock
from segue.shown import (
    ShownList,
    ShownRow,
    hours_of,
    named,
    notes_of,
    part_of,
    seen_before,
    writes_of,
)
from segue.store import Document
from segue.track_index import TrackIndex
from streaming.simulator.choosing import ListHead

_HEAD: Final = 5
_FIELDS: Final = {
    "items": {"$slice": _HEAD},
    "updated_at": 1,
    "model_version": 1,
    "diff.made_at": 1,
}
_LIST_AGE_S: Final = 1.0
_SURFACE: Final = "simulator"


class ListsOfDatabase:
    """The lists really served: read when a listener chooses, at most once a second.

    What they look at is noted as shown, as the web application does it.

    Parameters
    ----------
    wait_s : float
        Seconds for which what becomes of a list waits for more before it is counted.
    """

    def __init__(
        self,
        database: Database[Document],
        index: TrackIndex,
        wait_s: float = 0.0,
        clock: Clock = system_clock,
    ) -> None:
        self._database, self._index = database, index
        self._wait_s, self._clock = wait_s, clock
        self._read_at: dict[str, float] = {}
        self._heads: dict[str, ListHead] = {}

    def __call__(self, user_ids: Sequence[str]) -> dict[str, ListHead]:
        """Return the lists of those who have one; see `ReadLists`."""
        now = time.monotonic()
        old = [u for u in user_ids if now - self._read_at.get(u, -np.inf) > _LIST_AGE_S]
        lists = self._database[store.RECOMMENDATIONS]
        found = lists.find({"_id": {"$in": old}}, _FIELDS)
        self._note([shown for each in found if (shown := self._look_at(each))])
        self._read_at |= dict.fromkeys(old, now)
        return {u: self._heads[u] for u in user_ids if u in self._heads}

    def _look_at(self, found: Document) -> ShownList | None:
        """Take in a list; return it if it is another than before."""
        user_id = found["_id"]
        changed_at = found.get("diff", {}).get("made_at") or found["updated_at"]
        # as the player names the list that it shows
        list_id = f"{user_id}@{rfc3339(changed_at)}"
        known = [i for i in found["items"] if i["track_id"] in self._index.row_of]
        head = ListHead(list_id, [self._index.row_of[i["track_id"]] for i in known])
        before, self._heads[user_id] = self._heads.get(user_id), head
        if head == before or not known:
            return None
        rows = [_row(item, rank) for rank, item in enumerate(known, start=1)]
        version = found.get("model_version")
        return ShownList(user_id, list_id, _SURFACE, version, rows, self._clock())

    def _note(self, shown: Sequence[ShownList]) -> None:
        if not shown:
            return
        lists, days = (self._database[p] for p in (store.SHOWN_LISTS, store.SHOWN_DAYS))
        for place, requests in writes_of(shown, days.aggregate(seen_before(shown))):
            self._database[place].bulk_write(requests, ordered=False)
        hours = hours_of(lists.find(named(shown), {"shown_at": 1}))
        due_at = self._clock() + timedelta(seconds=self._wait_s)
        if hours:
            self._database[store.SERVED_DUE].bulk_write(notes_of(hours, due_at))


def no_lists(user_ids: Sequence[str]) -> dict[str, ListHead]:
    """Return no list for anybody; see `ReadLists`."""
    return {}


def _row(item: Mapping[str, Any], rank: int) -> ShownRow:
    part = part_of(item.get("parts", {}))
    return ShownRow(item["track_id"], rank, part, bool(item.get("explored")))
