"""The stream's minutes, over a range of time: documents in, plain columns out."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isfinite
from typing import Final

import numpy as np
from bson import CodecOptions, Int64
from numpy.typing import NDArray
from pymongo.asynchronous.database import AsyncDatabase

from dashboard.analytics.stream_state import bins_in
from dashboard.analytics.times import Wish
from dashboard.dates import moment
from dashboard.refusals import RefusedError
from segue import store
from segue.activity import Level
from segue.delays import KEPT, percentiles_of
from segue.store import Document

SHARES: Final = {"p50": 0.50, "p95": 0.95, "p99": 0.99}
RATES: Final = ("input_rows_per_s", "processed_rows_per_s")
_LASTS: Final = ("state_rows", "state_bytes", "watermark_lag_s")
_MOSTS: Final = ("n_waiting", "longest_ms")
_SUMS: Final = ("n_rows", "n_batches", "n_dropped")
COLUMNS: Final = (*_SUMS, *RATES, *_LASTS, *_MOSTS)
"""Of a query, by step."""
COUNTS: Final = ("n_read", "n_late", "n_known")
_ALWAYS: Final = (*_SUMS, *COUNTS)
_AT_TIMES: Final = (*RATES, *_LASTS, *_MOSTS)
_NUMBERS: Final = frozenset({int, float, Int64})
_NONE: Final[Mapping[str, float]] = {}
_MOST_BY_MINUTE: Final = timedelta(hours=6)
_MINUTE: Final = timedelta(minutes=1)
_TOTAL: Final = "triggerExecution"
Column = list[float | None]
Places = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Steps:
    """Equal steps of some minutes, from `start` until before `end`; UTC."""

    start: datetime
    end: datetime
    minutes: int

    @property
    def starts(self) -> list[datetime]:
        """Where each begins."""
        length = timedelta(minutes=self.minutes)
        return [
            self.start + n * length for n in range((self.end - self.start) // length)
        ]

    @property
    def words(self) -> str:
        """What is shown, as a sentence."""
        step = "minute" if self.minutes == 1 else f"{self.minutes} minutes"
        return (
            f"From {moment(self.start)} to {moment(self.end)} UTC, a point each {step}."
        )


@dataclass(frozen=True, slots=True)
class History:
    """What the stream did, by step; None where nothing is known of one.

    Attributes
    ----------
    n_lists : list of int
        Numbers of lists that were made.
    delays_s : dict
        Of each of `SHARES` that percentile of their delays.
    queries : dict
        Of each query its `COLUMNS`.
    phases_ms : dict
        Of each query the mean time of a micro-batch in each phase.
    counts, rejected : dict
        Messages that were counted: `COUNTS`, and those rejected by reason.
    """

    steps: Steps
    n_lists: list[int]
    delays_s: dict[str, Column]
    queries: dict[str, dict[str, Column]]
    phases_ms: dict[str, dict[str, Column]]
    counts: dict[str, list[int]]
    rejected: dict[str, list[int]]

    @property
    def is_empty(self) -> bool:
        """Whether nothing is known of the whole time."""
        return not (self.queries or any(self.n_lists) or any(self.counts["n_read"]))


EMPTY: Final = History(
    Steps(datetime.min, datetime.min, 1),
    n_lists=[],
    delays_s={name: [] for name in SHARES},
    queries={},
    phases_ms={},
    counts={name: [] for name in COUNTS},
    rejected={},
)
"""The history of no time."""


def steps_of(wish: Wish, now: datetime) -> Steps:
    """Return the steps in which a time is shown.

    Raises
    ------
    RefusedError
        Where all of it is longer ago than minutes are kept.
    """
    first = Level.MINUTE.start_of(now - KEPT)
    if wish.end <= first:
        raise RefusedError(
            400,
            "wrong_range",
            "Minutes of the stream are kept for two days; choose a time since then.",
        )
    start = first if wish.start is None else max(first, wish.start)
    end = min(wish.end, now + _MINUTE)
    minutes = 1 if end - start <= _MOST_BY_MINUTE else 10
    step = timedelta(minutes=minutes)
    start = _floor(start, minutes)
    n_steps = max(1, -(-(end - start) // step))
    return Steps(start, start + n_steps * step, minutes)


async def read_history(database: AsyncDatabase[Document], steps: Steps) -> History:
    """Read what is known of a time."""
    delays = await _read(database, store.LIST_DELAYS, steps)
    minutes = await _read(database, store.STREAM_MINUTES, steps)
    return history_of(steps, delays, minutes)


async def _read(
    database: AsyncDatabase[Document], collection: str, steps: Steps
) -> list[Document]:
    within = {"start": {"$gte": steps.start, "$lt": steps.end}}
    fields = {"_id": 0, "expires_at": 0}
    # half the time of decoding goes into time zones, which are all UTC
    naive: CodecOptions[Document] = CodecOptions(tz_aware=False)
    documents = database[collection].with_options(naive)
    return await documents.find(within, fields).to_list()


def history_of(
    steps: Steps, delays: Sequence[Document], minutes: Sequence[Document]
) -> History:
    """Return what documents of `list_delays` and `stream_minutes` come to.

    Those that are damaged are passed over.
    """
    delays = [each for each in delays if isinstance(each.get("start"), datetime)]
    whole = filter(_is_whole, minutes)
    by_query: dict[str, list[Document]] = defaultdict(list)
    for document in sorted(whole, key=lambda each: each["start"]):
        by_query[document["query"]].append(document)
    messages = by_query.pop(store.MESSAGES, [])
    at = {name: _places(steps, documents) for name, documents in by_query.items()}
    n_steps = len(steps.starts)
    rejected = [each.get("rejected", {}) for each in messages]
    place = _places(steps, messages)
    return History(
        steps,
        *_delays(steps, delays),
        {
            name: {
                column: _column(column, at[name], documents, n_steps)
                for column in COLUMNS
            }
            for name, documents in sorted(by_query.items())
        },
        {
            name: _phases(at[name], documents, n_steps)
            for name, documents in sorted(by_query.items())
        },
        {name: _counts(name, place, messages, n_steps) for name in COUNTS},
        {
            reason: _counts(reason, place, rejected, n_steps)
            for reason in sorted({reason for each in rejected for reason in each})
        },
    )


def _is_whole(minute: Document) -> bool:
    """Whether a minute has what it is known by, and nothing but numbers else."""
    get = minute.get
    phases, rejected = get("duration_ms", _NONE), get("rejected", _NONE)
    if not (
        isinstance(get("start"), datetime)
        and isinstance(get("query"), str)
        and isinstance(phases, dict)
        and isinstance(rejected, dict)
    ):
        return False
    told = [get(name, 0) for name in _ALWAYS]
    told += [*phases.values(), *rejected.values()]
    told += [n for n in map(get, _AT_TIMES) if n is not None]
    # of thousands of minutes: a sum is finite where all that was added is
    return _NUMBERS.issuperset(map(type, told)) and isfinite(sum(told))


def _places(steps: Steps, documents: Sequence[Document]) -> Places:
    """Return of each document the step in which it lies."""
    length = timedelta(minutes=steps.minutes)
    start = steps.start.replace(tzinfo=None)
    starts = (each["start"].replace(tzinfo=None) for each in documents)
    return np.array([(at - start) // length for at in starts], np.intp)


def _delays(
    steps: Steps, documents: Sequence[Document]
) -> tuple[list[int], dict[str, Column]]:
    lists: dict[int, list[Document]] = defaultdict(list)
    for place, document in zip(_places(steps, documents), documents, strict=True):
        lists[int(place)].append(document)
    n_steps = len(steps.starts)
    n_lists = [0] * n_steps
    delays_s: dict[str, Column] = {name: [None] * n_steps for name in SHARES}
    for place, some in lists.items():
        bins = bins_in(some)
        n_lists[place] = sum(bins.values())
        found = percentiles_of(bins, [*SHARES.values()])
        for name, delay_s in zip(SHARES, found, strict=False):
            delays_s[name][place] = delay_s
    return n_lists, delays_s


def _column(
    name: str, places: Places, minutes: Sequence[Document], n_steps: int
) -> Column:
    """Return a column of a query by step, from its minutes by time."""
    told = np.array([each.get(name) for each in minutes], np.float64)
    is_known = ~np.isnan(told)
    places, told = places[is_known], told[is_known]
    n_known = np.bincount(places, minlength=n_steps)
    if name in _LASTS or name in _MOSTS:
        found = np.full(n_steps, -np.inf)
        if name in _MOSTS:
            np.maximum.at(found, places, told)
        else:
            found[places] = told
    else:
        found = np.bincount(places, told, n_steps)
        if name not in _SUMS:
            found = found / np.maximum(n_known, 1)
    return _known(found, n_known > 0)


def _phases(
    places: Places, minutes: Sequence[Document], n_steps: int
) -> dict[str, Column]:
    """Return the mean of each phase, minutes of more batches counting more."""
    told = [each.get("duration_ms", {}) for each in minutes]
    n_batches = np.array([each.get("n_batches", 0) for each in minutes], np.float64)
    batches = np.bincount(places, n_batches, n_steps)
    found = {}
    for name in sorted({name for each in told for name in each} - {_TOTAL}):
        took_ms = np.array([each.get(name, 0.0) for each in told], np.float64)
        total = np.bincount(places, took_ms * n_batches, n_steps)
        found[name] = _known(total / np.maximum(batches, 1), batches > 0)
    return found


def _counts(
    name: str, places: Places, minutes: Sequence[Mapping[str, int]], n_steps: int
) -> list[int]:
    told = np.array([each.get(name, 0) for each in minutes], np.float64)
    return [int(n) for n in np.bincount(places, told, n_steps)]


def _known(values: NDArray[np.float64], is_known: NDArray[np.bool_]) -> Column:
    there = zip(values.tolist(), is_known.tolist(), strict=True)
    return [value if is_there else None for value, is_there in there]


def _floor(at: datetime, minutes: int) -> datetime:
    at = Level.MINUTE.start_of(at)
    return at - timedelta(minutes=at.minute % minutes)
