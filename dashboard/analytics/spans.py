"""Spans of plays from MongoDB; what was read stays in memory until it changes.

A document of many keys is some megabytes. So only the columns that are asked for are
read, and those once: each later reading looks at the index alone, which says whether
a document was written anew.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
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
_NOT_NUMBERS: Final = frozenset({"codes", *KEYS, *LISTENERS})


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
            The one key that is wanted.
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
        spans = await self._spans(versions, (*COUNTS, *columns))
        found = [spans[name] for name in versions if name in spans]
        if only is None:
            return found
        code = code_of(only)
        return await asyncio.to_thread(lambda: [_cut(span, code) for span in found])

    async def keys_of(self, spans: Sequence[Span]) -> list[Span]:
        """Read spans once more, with their keys."""
        versions = {span.name: span.version for span in spans}
        return list((await self._spans(versions, (*COUNTS, *KEYS))).values())

    async def _spans(
        self, versions: Mapping[str, Any], columns: tuple[str, ...]
    ) -> dict[str, Span]:
        """Return spans of these versions or later ones, by `_id`."""
        found = {
            name: span
            for name, version in versions.items()
            if (span := self._kept.get(name, version, columns)) is not None
        }
        missing = [name for name in versions if name not in found]
        for first in range(0, len(missing), _AT_ONCE):
            some = missing[first : first + _AT_ONCE]
            read = await self._activity.find(
                {"_id": {"$in": some}}, dict.fromkeys((*_SPAN, *columns), 1)
            ).to_list()
            for span in map(_span, read):
                self._kept.put(span)
                found[span.name] = span
        return found


def _span(document: Document) -> Span:
    return Span(
        document["_id"], document["start"], cells_of(document), document[_VERSION]
    )


def _cut(span: Span, code: int) -> Span:
    """Return a span with one key alone, or none where that is not in it."""
    row = int(np.searchsorted(span.cells.codes, code))
    is_there = row < len(span.cells) and span.cells.codes[row] == code
    rows = np.arange(row, row + int(is_there))
    return replace(span, cells=span.cells.take(rows))


class _Kept:
    """Columns of spans in memory; what was not asked for longest goes first."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes, self._n_bytes = most_bytes, 0
        self._spans: OrderedDict[str, Span] = OrderedDict()
        # the same spans with the columns that were asked for
        self._chosen: dict[str, dict[tuple[str, ...], Span]] = {}

    def get(self, name: str, version: Any, columns: tuple[str, ...]) -> Span | None:
        """Return a span of a version with these columns, if all of them are there."""
        found = self._spans.get(name)
        if found is None or found.version != version:
            return None
        self._spans.move_to_end(name)
        chosen = self._chosen[name].get(columns)
        if chosen is not None:
            return chosen
        there = _columns_of(found.cells)
        if not all(column in there for column in columns):
            return None
        cells = _cells({each: there[each] for each in columns})
        self._chosen[name][columns] = chosen = replace(found, cells=cells)
        return chosen

    def put(self, read: Span) -> None:
        """Keep what was read, beside other columns of the same version."""
        before = self._spans.pop(read.name, None)
        columns = _columns_of(read.cells)
        if before is not None:
            self._n_bytes -= before.cells.n_bytes
            if before.version == read.version:
                columns = {**_columns_of(before.cells), **columns}
        self._spans[read.name] = replace(read, cells=_cells(columns))
        self._chosen[read.name] = {}
        self._n_bytes += self._spans[read.name].cells.n_bytes
        while self._n_bytes > self._most_bytes and len(self._spans) > 1:
            name, gone = self._spans.popitem(last=False)
            del self._chosen[name]
            self._n_bytes -= gone.cells.n_bytes


def _columns_of(cells: Cells) -> dict[str, Any]:
    """Return all columns of cells by name, those of no numbers too."""
    packed = {"keys": cells.keys, "listeners": cells.listeners}
    there = {name: each for name, each in packed.items() if each is not None}
    return {"codes": cells.codes, **cells.columns, **there}


def _cells(columns: dict[str, Any]) -> Cells:
    """Return cells of columns by name."""
    numbers = {name: columns[name] for name in columns.keys() - _NOT_NUMBERS}
    return Cells(
        columns["codes"], numbers, columns.get("keys"), columns.get("listeners")
    )
