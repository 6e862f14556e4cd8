"""The stream's minutes from MongoDB; hours that are long over stay in memory.

Two days of minutes are some ten thousand documents. To fetch and decode them takes
longer than all the rest of a page, and hardly any of them changed since the last look.
"""

import asyncio
from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Final

from bson import CodecOptions
from pymongo.asynchronous.database import AsyncDatabase

from dashboard.analytics.stream_columns import Part, joined, part_of
from dashboard.analytics.stream_history import History, Steps, history_in
from segue import store
from segue.activity import Level
from segue.delays import KEPT
from segue.store import Document

SETTLED: Final = timedelta(minutes=30)
"""After which an hour that is over is as good as written.

What a job that stood still for longer then adds to a minute that is there shows when
that is read anew: at the next start, or when a minute comes or goes.
"""
_COLLECTIONS: Final = (store.LIST_DELAYS, store.STREAM_MINUTES)
Documents = Sequence[Document]
Piece = tuple[datetime, datetime]
"""A time, from a moment until before another."""


class StreamMinutes:
    """Reads `list_delays` and `stream_minutes`.

    An hour that is over for `SETTLED` is read once. All that are asked for are read
    again when there are more or fewer documents of them than there were.
    """

    def __init__(self, database: AsyncDatabase[Document]) -> None:
        # half the time of decoding goes into time zones, which are all UTC
        self._naive: CodecOptions[Document] = CodecOptions(tz_aware=False)
        self._database = database
        self._kept: dict[Piece, tuple[int, Part]] = {}
        self._lock = asyncio.Lock()

    async def read(self, steps: Steps, now: datetime) -> History:
        """Read what is known of a time."""
        async with self._lock:  # who waits finds what another has read
            parts = await self._up_to_date(steps, settled(steps, now), now)
        return await asyncio.to_thread(lambda: history_in(steps, joined(parts)))

    async def _up_to_date(
        self, steps: Steps, hours: Sequence[Piece], now: datetime
    ) -> list[Part]:
        self._forget(now)
        parts = await self._parts(steps, hours)
        if hours and await self._n_in(hours) != self._n_kept(hours):
            for hour in hours:
                self._kept.pop(hour, None)
            parts = await self._parts(steps, hours)
        return parts

    def _forget(self, now: datetime) -> None:
        """Let go of hours that are longer ago than minutes are kept."""
        for hour in [each for each in self._kept if each[0] < now - KEPT]:
            del self._kept[hour]

    def _n_kept(self, hours: Sequence[Piece]) -> int:
        return sum(self._kept[hour][0] for hour in hours if hour in self._kept)

    async def _n_in(self, hours: Sequence[Piece]) -> int:
        """Return how many documents there are of hours that follow one another."""
        within = _within([(hours[0][0], hours[-1][1])])
        counts = [self._database[name].count_documents(within) for name in _COLLECTIONS]
        return sum(await asyncio.gather(*counts))

    async def _parts(self, steps: Steps, hours: Sequence[Piece]) -> list[Part]:
        """Return what is known, by time; the hours that were read are kept."""
        found = {hour: self._kept[hour] for hour in hours if hour in self._kept}
        missing = [each for each in _pieces(steps, hours) if each not in found]
        reads = [self._read(name, missing) for name in _COLLECTIONS]
        delays, minutes = await asyncio.gather(*reads)
        read = await asyncio.to_thread(_parts_of, missing, delays, minutes)
        self._kept |= {hour: read[hour] for hour in hours if hour in read}
        return [part for _, (_, part) in sorted({**found, **read}.items(), key=_first)]

    async def _read(self, collection: str, pieces: Sequence[Piece]) -> list[Document]:
        if not pieces:
            return []
        fields = {"_id": 0, "expires_at": 0}
        documents = self._database[collection].with_options(self._naive)
        return await documents.find(_within(_merged(pieces)), fields).to_list()


def settled(steps: Steps, now: datetime) -> list[Piece]:
    """Return the whole hours within steps of which nothing changes any more.

    Of the oldest, minutes go one by one.
    """
    hour, found = Level.HOUR, list[Piece]()
    start = hour.start_of(max(steps.start, now - KEPT) + timedelta(hours=1))
    while (end := hour.end_of(start)) <= min(steps.end, now - SETTLED):
        found.append((start, end))
        start = end
    return found


def _pieces(steps: Steps, hours: Sequence[Piece]) -> list[Piece]:
    """Return all of a time: hours, and what is before and after them."""
    cuts = [
        steps.start,
        *(start for start, _ in hours),
        *(end for _, end in hours[-1:]),
    ]
    return [piece for piece in pairwise([*cuts, steps.end]) if piece[0] < piece[1]]


def _merged(pieces: Sequence[Piece]) -> list[Piece]:
    """Return pieces by time, those that touch as one."""
    found = [pieces[0]]
    for start, end in pieces[1:]:
        if start == found[-1][1]:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return found


def _within(pieces: Sequence[Piece]) -> dict[str, Any]:
    some = [{"start": {"$gte": start, "$lt": end}} for start, end in pieces]
    return some[0] if len(some) == 1 else {"$or": some}


def _parts_of(
    pieces: Sequence[Piece], delays: Documents, minutes: Documents
) -> dict[Piece, tuple[int, Part]]:
    """Return what documents tell of each piece, and how many they are."""
    told = zip(
        pieces, _by_piece(pieces, delays), _by_piece(pieces, minutes), strict=True
    )
    return {
        piece: (len(some) + len(more), part_of(some, more))
        for piece, some, more in told
    }


def _by_piece(pieces: Sequence[Piece], documents: Documents) -> list[list[Document]]:
    starts = [start.replace(tzinfo=None) for start, _ in pieces]
    found: list[list[Document]] = [[] for _ in pieces]
    for document in documents:
        found[bisect_right(starts, document["start"]) - 1].append(document)
    return found


def _first(told: tuple[Piece, Any]) -> Piece:
    return told[0]
