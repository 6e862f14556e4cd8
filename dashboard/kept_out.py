"""What stays out of a listener's lists: MongoDB in, rows of the track index out."""

import asyncio
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import chain
from typing import Final, cast

from bson import decode_all
from pymongo import DESCENDING
from pymongo.asynchronous.database import AsyncDatabase

from models.exclusions import rows_out
from models.groups import Rows, TrackFacts, TrackGroups, groups_of
from models.listens import Block
from segue import store
from segue.events import Action
from segue.store import Document
from segue.track_index import TrackIndex

_BATCH: Final = 5_000
_MOST_HEARD: Final = 500
_MOST_SAID: Final = 10_000
"""Of each kind, the newest: what was said before them no longer keeps out."""


class KeptOut:
    """Reads what is blocked, disliked, or was just heard, as the ranker counts it.

    Parameters
    ----------
    heard_s : float
        Seconds for which a played track stays out, `taste.heard_s`.
    """

    def __init__(self, database: AsyncDatabase[Document], heard_s: float) -> None:
        self._database, self._heard = database, timedelta(seconds=heard_s)
        self._known: tuple[str, int, TrackGroups] | None = None
        self._reading = asyncio.Lock()

    async def groups(self, index: TrackIndex) -> TrackGroups:
        """Return which tracks belong together; one at a time reads them anew."""
        async with self._reading:
            told = await self._database[store.CATALOGUE].find_one(store.TRACKS) or {}
            version = int(told.get("version", 0))
            if self._known is None or self._known[:2] != (index.version, version):
                found = self._database[store.TRACKS].find_raw_batches(
                    {}, TrackFacts._fields, batch_size=_BATCH
                )
                # said to be documents, they are what the server sent
                batches = cast("list[bytes]", await found.to_list())
                groups = await asyncio.to_thread(_groups_in, batches, index)
                self._known = index.version, version, groups
            return self._known[2]

    async def rows(self, listener: str, index: TrackIndex, now: datetime) -> Rows:
        """Return the rows that stay out of a listener's lists now, ascending."""
        heard = await self._heard_since(listener, now - self._heard)
        return await self._rows(listener, heard, index)

    async def unwanted(self, listener: str, index: TrackIndex) -> set[str]:
        """Return the tracks that a listener has said not to want, by id."""
        rows = await self._rows(listener, [], index)
        return {index.track_ids[row] for row in rows}

    async def _rows(self, listener: str, heard: list[str], index: TrackIndex) -> Rows:
        disliked, blocks, groups = await asyncio.gather(
            self.disliked(listener), self.blocks(listener), self.groups(index)
        )
        return await asyncio.to_thread(rows_out, disliked, heard, blocks, index, groups)

    async def _heard_since(self, listener: str, since: datetime) -> list[str]:
        wanted = {"user_id": listener, "listened_at": {"$gte": since}}
        found = self._database[store.LISTENS].find(wanted, {"_id": 0, "track_id": 1})
        found = found.sort("listened_at", DESCENDING).limit(_MOST_HEARD)
        latest_first = dict.fromkeys([each["track_id"] async for each in found])
        return [*latest_first][::-1]

    async def disliked(self, listener: str) -> list[str]:
        """Read the tracks that a listener dislikes, by id, the newest last."""
        wanted = {"action": Action.DISLIKED}
        found = await self._newest(store.REACTIONS, listener, wanted)
        return [each["track_id"] for each in found]

    async def blocks(self, listener: str) -> list[Block]:
        """Read what a listener has blocked or unblocked, by time.

        What was unblocked may be an artist that was blocked by another track.
        """
        found = await self._newest(store.BLOCKS, listener, {})
        return [
            Block(
                each["scope"], each["track_id"], each.get("action") != Action.UNBLOCKED
            )
            for each in found
        ]

    async def _newest(
        self, collection: str, listener: str, wanted: Document
    ) -> list[Document]:
        """Read a listener's latest words of a kind, the newest last."""
        mine = {"user_id": listener, **wanted}
        found = self._database[collection].find(mine, {"words": 0})
        rows = await found.sort("at", DESCENDING).limit(_MOST_SAID).to_list()
        return rows[::-1]


def _groups_in(batches: Iterable[bytes], index: TrackIndex) -> TrackGroups:
    """Group the tracks of an index by what MongoDB sent; much to decode."""
    tracks = chain.from_iterable(decode_all(batch) for batch in batches)
    return groups_of(tracks, index)
