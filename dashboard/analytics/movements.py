"""Where some listeners' tastes were on each date: MongoDB in, movement out.

Of at most 200 listeners, always the same ones, at most 60 days are read, and kept for
some minutes. Numbers stand for them from the first step on.
"""

import asyncio
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import blake2b
from time import monotonic
from typing import Any, Final, cast

from bson import decode_iter
from pymongo.asynchronous.database import AsyncDatabase

from dashboard.analytics.map_movement import Heard, heard_in, together
from dashboard.analytics.map_points import Placed
from segue import store
from segue.store import Document

MOST_LISTENERS: Final = 200
LONGEST: Final = timedelta(days=60)
_MOST_KNOWN: Final = 50_000
# of a listener and date, as they were first heard
_MOST_TRACKS: Final = 200
_KEPT_S: Final = 300.0
_FIELDS: Final[Mapping[str, Any]] = {
    "_id": 0,
    "user_id": 1,
    "day": 1,
    "track_ids": {"$slice": _MOST_TRACKS},
    "weights": {"$slice": _MOST_TRACKS},
}


class Movements:
    """Reads what listeners heard by dates; one at a time reads anew."""

    def __init__(self, database: AsyncDatabase[Document]) -> None:
        self._database = database
        self._known: tuple[Placed, float, Heard] | None = None
        self._reading = asyncio.Lock()
        # who knows names cannot compute whose number is which
        self._secret = secrets.token_bytes(16)

    async def read(self, placed: Placed, now: datetime) -> Heard:
        """Return what was heard in the last 60 days."""
        async with self._reading:
            known = self._known
            if known is None or known[0] is not placed or monotonic() >= known[1]:
                heard = await self._read(placed, now)
                self._known = known = placed, monotonic() + _KEPT_S, heard
            return known[2]

    async def _read(self, placed: Placed, now: datetime) -> Heard:
        numbers = await self._listeners()
        wanted = {
            "user_id": {"$in": list(numbers)},
            "day": {"$gte": now - LONGEST, "$lte": now},
        }
        found = self._database[store.TASTE_DAYS].find_raw_batches(wanted, _FIELDS)
        parts = [heard_in([], placed)]
        async for batch in found:
            # said to be documents, it is what the server sent
            sent = cast("bytes", batch)
            parts.append(await asyncio.to_thread(_heard_in, sent, numbers, placed))
        return together(parts)

    async def _listeners(self) -> dict[str, int]:
        """Return numbers of the listeners who are looked at, by lot, by their ids."""
        found = self._database[store.TASTE_PAST].find({}, {"_id": 1})
        ids = [each["_id"] for each in await found.limit(_MOST_KNOWN).to_list()]
        some = sorted(ids, key=_lot)[:MOST_LISTENERS]
        order = sorted(some, key=lambda each: _lot(each, self._secret))
        return {user_id: number for number, user_id in enumerate(order)}


def _heard_in(batch: bytes, numbers: Mapping[str, int], placed: Placed) -> Heard:
    # one document after the other: what decodes all at once lets no other thread run
    told = (
        {**each, "listener": numbers[each["user_id"]]} for each in decode_iter(batch)
    )
    return heard_in(told, placed)


def _lot(user_id: str, secret: bytes = b"") -> bytes:
    return blake2b(
        user_id.encode("utf-8", "replace"), digest_size=8, key=secret
    ).digest()
