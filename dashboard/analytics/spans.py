"""Spans of plays from MongoDB; what was read stays in memory until it changes.

A document of many keys is some megabytes. So only the columns that are asked for are
read, and those once: each later reading looks at the index alone, which says whether
a document was written anew.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import numpy as np
from pymongo import ASCENDING
from pymongo.asynchronous.database import AsyncDatabase

from dashboard.analytics.times import TimeRange, Wish, snapped
from segue import store
from segue.activity import SHARES, Cells, Kind, Level, cells_of, code_of
from segue.store import Document

COUNTS: Final = (
    *("codes", "n_started", "n_completed", "n_skipped", "n_left", "heard_ms"),
)
"""Columns that every reading has."""
LISTENERS: Final = ("listeners",)
KEYS: Final = ("keys",)
ENDS: Final = SHARES
KEPT_BYTES: Final = 512_000_000
_AT_ONCE: Final = 16
_VERSION: Final = "updated_at"
_SPAN: Final = ("_id", "start", _VERSION)


@dataclass(frozen=True, slots=True)
class Span:
    """One document of `activity`: all of a span, or a part of its keys.

    Attributes
    ----------
    version : object
        Another one whenever it was written anew.
    """

    name: str
    start: datetime
    cells: Cells
    version: object


class Spans:
    """Reads `activity`.

    Parameters
    ----------
    kept_bytes : int
        Most that stays in memory.
    """

    def __init__(
        self, database: AsyncDatabase[Document], kept_bytes: int = KEPT_BYTES
    ) -> None:
        self._activity = database[store.ACTIVITY]
        self._kept = _Kept(kept_bytes)

    async def range_of(self, wish: Wish, now: datetime) -> TimeRange | None:
        """Return the spans that a time asks for; None where nothing was played yet."""
        if wish.start is not None:
            return snapped(wish.start, wish.end, now)
        first = await self._activity.find_one(
            {"level": Level.MONTH.value, "kind": Kind.ALL.value},
            {"start": 1},
            sort=[("start", ASCENDING)],
        )
        return None if first is None else snapped(first["start"], wish.end, now)

    async def read(
        self,
        asked: TimeRange,
        kind: Kind,
        columns: Sequence[str] = (),
        only: str | None = None,
    ) -> list[Span]:
        """Read the spans of one kind, by time: the counts, and more `columns`.

        Parameters
        ----------
        only : str, optional
            The one key that is wanted; not with columns of keys or listeners.
        """
        wanted = {
            "level": asked.level.value,
            "kind": kind.value,
            "start": {"$gte": asked.start, "$lt": asked.end},
        }
        # all of it is in the index
        there = self._activity.find(wanted, {"start": 1, _VERSION: 1})
        rows = await there.sort("start", ASCENDING).to_list()
        versions = {row["_id"]: row[_VERSION] for row in rows}
        documents = await self._documents(versions, (*COUNTS, *columns))
        found = [documents[name] for name in versions if name in documents]
        if only is not None:
            code = code_of(only)
            found = [_cut(document, code) for document in found]
        return await asyncio.to_thread(lambda: list(map(_span, found)))

    async def keys_of(self, spans: Sequence[Span]) -> list[Span]:
        """Read spans once more, with their keys."""
        versions = {span.name: span.version for span in spans}
        documents = await self._documents(versions, (*COUNTS, *KEYS))
        return list(map(_span, documents.values()))

    async def _documents(
        self, versions: Mapping[str, Any], columns: Sequence[str]
    ) -> dict[str, Document]:
        """Return documents of these versions or later ones, by `_id`."""
        found = {
            name: document
            for name, version in versions.items()
            if (document := self._kept.get(name, version, columns)) is not None
        }
        missing = [name for name in versions if name not in found]
        for first in range(0, len(missing), _AT_ONCE):
            some = missing[first : first + _AT_ONCE]
            read = self._activity.find(
                {"_id": {"$in": some}}, dict.fromkeys((*_SPAN, *columns), 1)
            )
            async for document in read:
                self._kept.put(document)
                found[document["_id"]] = document
        return found


def _span(document: Document) -> Span:
    return Span(
        document["_id"], document["start"], cells_of(document), document[_VERSION]
    )


def _cut(document: Document, code: int) -> Document:
    """Return a document with one key alone, or none where that is not in it."""
    codes = np.frombuffer(document["codes"], np.int64)
    row = int(np.searchsorted(codes, code))
    n = int(row < len(codes) and codes[row] == code)
    cut = dict(document)
    for name, column in document.items():
        if isinstance(column, bytes):
            size = len(column) // max(1, len(codes))
            cut[name] = column[row * size : (row + n) * size]
    return cut


class _Kept:
    """Columns of documents in memory; what was not asked for longest goes first."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes, self._n_bytes = most_bytes, 0
        self._documents: OrderedDict[str, Document] = OrderedDict()

    def get(self, name: str, version: Any, columns: Sequence[str]) -> Document | None:
        """Return a document of a version, if all these columns are there."""
        found = self._documents.get(name)
        if found is None or found.get(_VERSION) != version:
            return None
        if not all(column in found for column in columns):
            return None
        self._documents.move_to_end(name)
        return {column: found[column] for column in (*_SPAN, *columns)}

    def put(self, read: Document) -> None:
        """Keep what was read, beside other columns of the same version."""
        name = read["_id"]
        before = self._documents.pop(name, {})
        self._n_bytes -= _bytes_of(before)
        same = before if before.get(_VERSION) == read.get(_VERSION) else {}
        self._documents[name] = {**same, **read}
        self._n_bytes += _bytes_of(self._documents[name])
        while self._n_bytes > self._most_bytes and len(self._documents) > 1:
            _, gone = self._documents.popitem(last=False)
            self._n_bytes -= _bytes_of(gone)


def _bytes_of(document: Mapping[str, Any]) -> int:
    told = [
        each
        for value in document.values()
        for each in (value.values() if isinstance(value, dict) else [value])
    ]
    return sum(len(each) for each in told if isinstance(each, bytes))
