"""Answers to questions of analysts: which spans, of which keys, under which names."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from pymongo.asynchronous.database import AsyncDatabase

from dashboard.analytics import sums
from dashboard.analytics.maps import Maps
from dashboard.analytics.movements import Movements
from dashboard.analytics.names import Named, Names
from dashboard.analytics.questions import Question
from dashboard.analytics.served import ServedLists
from dashboard.analytics.spans import KEYS, LISTENERS, Span, Spans
from dashboard.analytics.stream_minutes import StreamMinutes
from dashboard.analytics.stream_state import Books
from dashboard.analytics.sums import Counts, Totals
from dashboard.analytics.times import TimeRange
from dashboard.refusals import RefusedError
from segue.activity import Cells, Kind
from segue.store import Document

_FILTERS: Final = (Kind.SURFACE, Kind.STYLE, Kind.ARTIST)
_ALL: Final = ""
_MOST_SURFACES: Final = 50
_MOST_SUM_BYTES: Final = 128_000_000
"""Of 50,000 keys a sum takes three megabytes; *Now* has three of each time."""
BY_LISTENERS: Final = "n_listeners"
MOST_COMPARED: Final = 500
"""Keys of which listeners are counted, at least: sketches of all take seconds."""


@dataclass(frozen=True, slots=True)
class Row:
    """One key of a ranking.

    Attributes
    ----------
    trend : sequence of int
        Plays by span.
    """

    named: Named
    totals: Totals
    trend: Sequence[int]


@dataclass(frozen=True, slots=True)
class Ranking:
    """The first keys of one kind.

    Attributes
    ----------
    n_keys : int
        How many were played.
    """

    kind: Kind
    rows: Sequence[Row]
    n_keys: int


@dataclass(frozen=True, slots=True)
class Plays:
    """Plays over time, of what the filters choose."""

    time: TimeRange
    totals: Totals
    by_span: dict[str, list[int]]


@dataclass(frozen=True, slots=True)
class Choice:
    """What filters choose: keys of one kind."""

    kind: Kind
    key: str
    named: Named | None = None

    @property
    def words(self) -> str:
        """What is counted, within a sentence."""
        if self.named is None:
            return ""
        return f" of the {self.kind} “{self.named.name}”"


class Answers:
    """Answers questions from `activity`, the catalogue and the track index.

    Parameters
    ----------
    home : Path
        Folder of Segue's own state.
    """

    def __init__(self, database: AsyncDatabase[Document], home: Path = Path()) -> None:
        self.database, self.home = database, home
        self.maps, self.movements = Maps(database, home), Movements(database)
        self._sums: OrderedDict[tuple[Any, ...], Cells] = OrderedDict()
        self._n_sum_bytes = 0
        self.spans, self.names = Spans(database), Names(database)
        self.served = ServedLists(database)
        self.books, self.minutes = Books(database), StreamMinutes(database)

    async def time_of(self, question: Question, now: datetime) -> TimeRange:
        """Return the spans that a question is about.

        Raises
        ------
        RefusedError
            When nothing was ever counted.
        """
        found = await self.spans.range_of(question.wish, now)
        if found is None:
            raise nothing("Nothing was played yet, or the stream has not counted it.")
        return found

    async def choice_of(self, question: Question) -> Choice:
        """Return what the filters choose.

        Raises
        ------
        RefusedError
            When two of them are told: plays are counted by one thing each.
        """
        told = [kind for kind in _FILTERS if question.get(kind)]
        if len(told) > 1:
            raise RefusedError(
                400,
                "two_filters",
                f"Plays are counted by {told[0]} and by {told[1]}, not by both at "
                "once: take one of the filters out.",
            )
        if not told:
            return Choice(Kind.ALL, _ALL)
        key = question.get(told[0])
        named = await self.names.of(told[0], [key])
        return Choice(told[0], key, named[key])

    async def codes_of(self, question: Question) -> Counts | None:
        """Return the tracks that the filters choose; None for all."""
        style, artist = question.get(Kind.STYLE), question.get(Kind.ARTIST)
        tracks = await self.names.tracks_in(style, artist)
        if tracks is None:
            return None
        return await asyncio.to_thread(sums.codes_of, sorted(tracks))

    async def surfaces(self, time: TimeRange) -> list[Named]:
        """Return the surfaces on which was played, by name."""
        read = await self.spans.read(time, Kind.SURFACE, KEYS)
        keys = {
            key.decode("utf-8", "replace")
            for span in read
            for key in span.cells.keys or ()
        }
        named = await self.names.of(Kind.SURFACE, sorted(keys)[:_MOST_SURFACES])
        return list(named.values())

    async def plays(self, time: TimeRange, choice: Choice) -> Plays:
        """Return what was played over time."""
        read = await self.spans.read(time, choice.kind, LISTENERS)
        codes = sums.codes_of([choice.key])
        return Plays(
            time, sums.totals(read, codes), sums.series(read, time.starts, codes)
        )

    async def ranking(
        self, time: TimeRange, kind: Kind, order: str, codes: Counts | None, n: int
    ) -> Ranking:
        """Return the first `n` keys of a kind, or of some keys of it.

        By listeners, of those that were played most; see `MOST_COMPARED`.
        """
        read = await self.spans.read(time, kind, LISTENERS)
        cells = await self.summed(read)
        first_of = _first_by_listeners if order == BY_LISTENERS else _first_of
        first, n_keys = await asyncio.to_thread(
            first_of, cells, read, (order, codes), n
        )
        made = await asyncio.to_thread(_rows_of, read, time, first)
        named = await self.named(kind, read, first)
        return Ranking(
            kind,
            [Row(named[code], *made[code]) for code in first if code in named],
            n_keys,
        )

    async def summed(self, read: Sequence[Span]) -> Cells:
        """Return the counts of each key over all spans.

        The sum of those before the newest stays in memory: they rarely change.
        """
        newest = max((span.start for span in read), default=None)
        before = [span for span in read if span.start != newest]
        versions = tuple((span.name, span.version) for span in before)
        total = self._sums.get(versions)
        if total is None:
            total = await asyncio.to_thread(sums.summed, before)
            self._keep(versions, total)
        self._sums.move_to_end(versions)
        last = [span for span in read if span.start == newest]
        return await asyncio.to_thread(sums.summed, last, total)

    def _keep(self, versions: tuple[Any, ...], total: Cells) -> None:
        if versions not in self._sums:  # another may have added them up meanwhile
            self._n_sum_bytes += total.n_bytes
        self._sums[versions] = total
        while self._n_sum_bytes > _MOST_SUM_BYTES and len(self._sums) > 1:
            _, gone = self._sums.popitem(last=False)
            self._n_sum_bytes -= gone.n_bytes

    async def named(
        self, kind: Kind, read: Sequence[Span], codes: Sequence[int]
    ) -> dict[int, Named]:
        """Return what some codes stand for, in the order of these."""
        with_keys = await self.spans.keys_of(sums.spans_with(read, codes))
        keys = sums.keys_in(with_keys, codes)
        found = await self.names.of(kind, keys.values())
        return {code: found[keys[code]] for code in codes if code in keys}


def nothing(detail: str) -> RefusedError:
    """Return what is said where there is nothing to show."""
    return RefusedError(404, "nothing_there", detail)


def _first_of(
    cells: Cells, _read: Sequence[Span], asked: tuple[str, Counts | None], n: int
) -> tuple[list[int], int]:
    """Return the first keys, and how many there are."""
    rows = sums.ranked(cells, *asked)
    return cells.codes[rows[:n]].tolist(), len(rows)


def _first_by_listeners(
    cells: Cells, read: Sequence[Span], asked: tuple[str, Counts | None], n: int
) -> tuple[list[int], int]:
    by_plays = ("n_plays", asked[1])
    played, n_keys = _first_of(cells, read, by_plays, max(n, MOST_COMPARED))
    n_listeners = sums.listeners_by(read, played)
    # of equals, that of more plays
    return sorted(played, key=lambda code: -n_listeners[code])[:n], n_keys


def _rows_of(
    read: Sequence[Span], time: TimeRange, codes: Sequence[int]
) -> dict[int, tuple[Totals, Sequence[int]]]:
    trends = sums.plays_by_span(read, time.starts, codes)
    return {
        code: (each, trends[code]) for code, each in sums.totals_by(read, codes).items()
    }
