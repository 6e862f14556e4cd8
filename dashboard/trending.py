"""Trending: what more listeners play of late than in the day before.

With ``a`` the hours since a listener last heard a track in the last six, and each
listener once::

    recent = sum of 0.5 ** (a / 2)      usual = listeners in the 24 hours before
    score = (recent - e * usual) / sqrt(e * usual + 1)

where ``e * usual`` is what `recent` would be had the track gone on as before: ``e`` is
the sum of the fading over six hours by that over 24 hours without fading. So a jump
counts in the measure of what chance alone would do. A track that fewer than three
listeners heard is not shown, whatever its score, so that nobody's taste is.
"""

import asyncio
import math
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from pymongo.asynchronous.database import AsyncDatabase

from dashboard.queries import read_cards
from dashboard.records import NotedTrack
from segue import store
from segue.clock import Clock
from segue.store import Document

LEAST_LISTENERS: Final = 3
_RECENT_H: Final = 6.0
_USUAL_H: Final = 24.0
_HALF_LIFE_H: Final = 2.0
_MS_PER_H: Final = 3_600_000
_EXPECTED: Final = (
    _HALF_LIFE_H / math.log(2) * (1 - 0.5 ** (_RECENT_H / _HALF_LIFE_H)) / _USUAL_H
)
# the latest of more; with them the aggregate takes about a second
MOST_LISTENS: Final = 300_000
_N_TRACKS: Final = 40
_FRESH_S: Final = 30.0


class Trending:
    """Keeps what is trending in memory, for everybody; made anew at most so often.

    Parameters
    ----------
    fresh_s : float
        Seconds before it is made anew; until it is, the last is shown.
    """

    def __init__(
        self,
        database: AsyncDatabase[Document],
        clock: Clock,
        fresh_s: float = _FRESH_S,
    ) -> None:
        self._database, self._clock, self._fresh_s = database, clock, fresh_s
        self._tracks: Sequence[NotedTrack] | None = None
        self._due = 0.0
        self._making: asyncio.Task[Sequence[NotedTrack]] | None = None

    async def read(self) -> Sequence[NotedTrack]:
        """Return the tracks, the strongest first; only who comes first waits."""
        if self._making is None and time.monotonic() >= self._due:
            self._making = asyncio.create_task(self._make())
            self._making.add_done_callback(self._take)
        if self._tracks is None and self._making is not None:
            return await asyncio.shield(self._making)
        return self._tracks or []

    def _take(self, made: "asyncio.Task[Sequence[NotedTrack]]") -> None:
        self._making = None
        if not made.cancelled() and made.exception() is None:
            self._tracks = made.result()
            self._due = time.monotonic() + self._fresh_s

    async def _make(self) -> Sequence[NotedTrack]:
        pipeline = pipeline_of(self._clock())
        found = await self._database[store.LISTENS].aggregate(pipeline)
        rows = await found.to_list()
        cards = await read_cards(self._database, [row["_id"] for row in rows])
        notes: dict[tuple[str, str], NotedTrack] = {}
        for row in rows:
            card = cards.get(row["_id"])
            if card is not None:  # of a recording only the strongest
                note = (f"{row['n']:,} listeners in the last {_RECENT_H:.0f} hours",)
                notes.setdefault((card.title, card.artist), NotedTrack(card, note))
        return [*notes.values()]


def pipeline_of(now: datetime) -> list[Mapping[str, Any]]:
    """Return the aggregate over `listens`; its first half needs the index alone."""
    turn = now - timedelta(hours=_RECENT_H)
    is_recent = {"$gt": ["$last", turn]}
    age_h = {"$divide": [{"$subtract": [now, "$last"]}, _MS_PER_H]}
    faded = {"$pow": [0.5, {"$divide": [age_h, _HALF_LIFE_H]}]}
    usual = {"$multiply": ["$usual", _EXPECTED]}
    return [
        {
            "$match": {
                "listened_at": {"$gt": turn - timedelta(hours=_USUAL_H), "$lte": now},
                "weight": {"$gt": 0},
            }
        },
        {"$sort": {"listened_at": -1}},
        {"$limit": MOST_LISTENS},
        {
            "$group": {
                "_id": {"track": "$track_id", "listener": "$user_id"},
                "last": {"$max": "$listened_at"},
                "was": {"$max": {"$cond": [{"$lte": ["$listened_at", turn]}, 1, 0]}},
            }
        },
        {
            "$group": {
                "_id": "$_id.track",
                "n": {"$sum": {"$cond": [is_recent, 1, 0]}},
                "recent": {"$sum": {"$cond": [is_recent, faded, 0]}},
                "usual": {"$sum": "$was"},
            }
        },
        {"$match": {"n": {"$gte": LEAST_LISTENERS}}},
        {
            "$set": {
                "score": {
                    "$divide": [
                        {"$subtract": ["$recent", usual]},
                        {"$sqrt": {"$add": [usual, 1]}},
                    ]
                }
            }
        },
        {"$match": {"score": {"$gt": 0}}},
        {"$sort": {"score": -1, "_id": 1}},
        {"$limit": _N_TRACKS},
    ]
