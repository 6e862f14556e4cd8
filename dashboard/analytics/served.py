"""What became of lists that were shown, from `served`: spans in, sums out."""

import asyncio
import logging
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from pymongo import ASCENDING
from pymongo.asynchronous.database import AsyncDatabase

from dashboard.analytics.times import Levels, TimeRange, Wish, snapped
from segue import store
from segue.activity import Level
from segue.served import Counts, Served, added, no_rows, served_of
from segue.store import Document

_LOG = logging.getLogger(__name__)
_LEVELS: Final[Levels] = (
    (Level.HOUR, timedelta(days=4), timedelta(days=90)),
    (Level.DAY, timedelta(days=93), timedelta.max),
)
_MOST_CHOICES: Final = 50
_MOST_KEPT: Final = 4_000
_AT_ONCE: Final = 200
_VERSION: Final = "updated_at"
NO_MODEL: Final = "none"
"""The word, in an address, for lists in which no model had a part."""


class Span(NamedTuple):
    """What became of the lists of one span, surface and model."""

    start: datetime
    surface: str
    model: str
    served: Served


@dataclass(frozen=True, slots=True)
class Lists:
    """What became of the lists of some time.

    Attributes
    ----------
    n_damaged : int
        Documents that could not be read, and are not counted.
    """

    time: TimeRange
    spans: Sequence[Span]
    n_damaged: int

    @property
    def total(self) -> Served:
        """Of all of them."""
        return added(span.served for span in self.spans)

    def by(self, key: Callable[[Span], Any]) -> dict[Any, Served]:
        """Return the sums of those spans that have the same key."""
        parts: dict[Any, list[Served]] = defaultdict(list)
        for span in self.spans:
            parts[key(span)].append(span.served)
        return {each: added(some) for each, some in parts.items()}

    def rows_by_start(self) -> dict[datetime, Counts]:
        """Return `OF_ROWS` of each span of time of which there are lists."""
        rows: dict[datetime, Counts] = defaultdict(no_rows)
        for span in self.spans:
            rows[span.start] += span.served.rows
        return dict(rows)

    def chosen(self, surface: str, model: str) -> "Lists":
        """Return those of one surface, or one model, or both; "" for all."""
        wanted = "" if model == NO_MODEL else model
        spans = [
            span
            for span in self.spans
            if surface in ("", span.surface) and (not model or span.model == wanted)
        ]
        return Lists(self.time, spans, self.n_damaged)


class ServedLists:
    """Reads `served`; what was read stays in memory until it is written anew."""

    def __init__(self, database: AsyncDatabase[Document]) -> None:
        self._served = database[store.SERVED]
        self._kept: OrderedDict[str, tuple[Any, Span | None]] = OrderedDict()

    async def range_of(self, wish: Wish, now: datetime) -> TimeRange | None:
        """Return the spans that a time asks for; None where no list was ever shown."""
        if wish.start is not None:
            return snapped(wish.start, wish.end, now, _LEVELS)
        first = await self._served.find_one(
            {"level": Level.MONTH.value}, {"start": 1}, sort=[("start", ASCENDING)]
        )
        if first is None:
            return None
        return snapped(first["start"], wish.end, now, _LEVELS)

    async def choices(self, time: TimeRange) -> tuple[list[str], list[str]]:
        """Read on which surfaces lists were shown in a time, and of which models.

        The models stand as an address names them, the newest first.
        """
        rows = [*reversed(await self._rows(time))]
        surfaces = {str(row.get("surface") or "") for row in rows}
        models = dict.fromkeys(str(row.get("model") or NO_MODEL) for row in rows)
        return sorted(surfaces - {""})[:_MOST_CHOICES], [*models][:_MOST_CHOICES]

    async def read(self, time: TimeRange) -> Lists:
        """Read what became of the lists of some time, by time."""
        versions = {row["_id"]: row.get(_VERSION) for row in await self._rows(time)}
        missing = [
            name
            for name, version in versions.items()
            if name not in self._kept or self._kept[name][0] != version
        ]
        found = {n: self._kept[n][1] for n in versions if n in self._kept}
        for first in range(0, len(missing), _AT_ONCE):
            named = {"_id": {"$in": missing[first : first + _AT_ONCE]}}
            rows = await self._served.find(named, {"judged_by": 0}).to_list()
            spans = await asyncio.to_thread(_spans, rows)
            for row, span in zip(rows, spans, strict=True):
                found[row["_id"]] = span
                self._keep(row["_id"], row.get(_VERSION), span)
        ordered = [found[name] for name in versions if name in found]
        there = [span for span in ordered if span is not None]
        return Lists(time, there, len(ordered) - len(there))

    async def _rows(self, time: TimeRange) -> list[Document]:
        """Read which documents there are of a time; all of it is in the index."""
        span = {"$gte": time.start, "$lt": time.end}
        wanted = {"level": time.level.value, "start": span}
        fields = dict.fromkeys((_VERSION, "surface", "model"), 1)
        return await self._served.find(wanted, fields).sort("start").to_list()

    def _keep(self, name: str, version: Any, span: Span | None) -> None:
        self._kept[name] = version, span
        self._kept.move_to_end(name)
        while len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)


def _spans(rows: Sequence[Mapping[str, Any]]) -> list[Span | None]:
    return [*map(_span, rows)]


def _span(row: Mapping[str, Any]) -> Span | None:
    try:
        served = served_of(row)
        _ = served.n_tracks  # a sketch that is none is a RuntimeError of its library
        return Span(row["start"], row["surface"], row["model"], served)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        _LOG.warning("%s cannot be read: %r", row.get("_id"), error)
        return None
