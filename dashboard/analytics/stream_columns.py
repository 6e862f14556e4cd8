"""The stream's minutes: documents in, columns of numbers out; parts of a time add up.

Of thousands of minutes, a loop over each field of each costs a page its time; columns
are made once of a minute, and taken together from then on.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from typing import Any, Final

import numpy as np
from bson import Int64
from numpy.typing import NDArray

from dashboard.analytics.stream_state import bins_of
from segue import store
from segue.store import Document

RATES: Final = ("input_rows_per_s", "processed_rows_per_s")
LASTS: Final = ("state_rows", "state_bytes", "watermark_lag_s")
MOSTS: Final = ("n_waiting", "longest_ms")
SUMS: Final = ("n_rows", "n_batches", "n_dropped")
COLUMNS: Final = (*SUMS, *RATES, *LASTS, *MOSTS)
"""Of a query, by step."""
COUNTS: Final = ("n_read", "n_late", "n_known")
_ALWAYS: Final = (*SUMS, *COUNTS)
_AT_TIMES: Final = (*RATES, *LASTS, *MOSTS)
_NUMBERS: Final = frozenset({int, float, Int64})
_NONE: Final[Mapping[str, float]] = {}
Floats = NDArray[np.float64]
Moments = NDArray[np.datetime64]


@dataclass(frozen=True, slots=True)
class Minutes:
    """Minutes of one query, by time.

    Attributes
    ----------
    at : (n,) array of datetime64[us]
        When each began, in UTC.
    told : dict of (n,) arrays
        Each of `COLUMNS`, or of `COUNTS`; NaN where it is not known.
    named : dict of (n,) arrays
        Milliseconds by phase, or rejected messages by reason; 0 where there are none.
    """

    at: Moments
    told: dict[str, Floats]
    named: dict[str, Floats]


@dataclass(frozen=True, slots=True)
class Delays:
    """Numbers of lists, by minute and bin of their delay.

    Attributes
    ----------
    at : (n,) array of datetime64[us]
    bins : (n,) array of int
    n_lists : (n,) array of float
        Whole numbers.
    """

    at: Moments
    bins: NDArray[np.intp]
    n_lists: Floats


@dataclass(frozen=True, slots=True)
class Part:
    """What is known of some time.

    Attributes
    ----------
    queries : dict
        Minutes of each query.
    messages : Minutes
        What became of messages.
    """

    delays: Delays
    queries: dict[str, Minutes]
    messages: Minutes


def part_of(delays: Sequence[Document], minutes: Sequence[Document]) -> Part:
    """Return what documents of `list_delays` and `stream_minutes` tell.

    Those that are damaged are passed over.
    """
    by_query: dict[str, list[Document]] = defaultdict(list)
    for document in sorted(filter(_is_whole, minutes), key=lambda each: each["start"]):
        by_query[document["query"]].append(document)
    messages = by_query.pop(store.MESSAGES, [])
    return Part(
        _delays_of(delays),
        {
            name: _minutes_of(some, COLUMNS, "duration_ms")
            for name, some in by_query.items()
        },
        _minutes_of(messages, COUNTS, "rejected"),
    )


def joined(parts: Sequence[Part]) -> Part:
    """Return the parts of one time after another, of at least one, as one."""
    delays = [part.delays for part in parts]
    queries = sorted({name for part in parts for name in part.queries})
    return Part(
        Delays(
            np.concatenate([each.at for each in delays]),
            np.concatenate([each.bins for each in delays]),
            np.concatenate([each.n_lists for each in delays]),
        ),
        {
            name: _joined([p.queries[name] for p in parts if name in p.queries])
            for name in queries
        },
        _joined([part.messages for part in parts]),
    )


def _joined(parts: Sequence[Minutes]) -> Minutes:
    names = sorted({name for part in parts for name in part.named})
    return Minutes(
        np.concatenate([part.at for part in parts]),
        {
            name: np.concatenate([part.told[name] for part in parts])
            for name in parts[0].told
        },
        {
            name: np.concatenate(
                [part.named.get(name, np.zeros(len(part.at))) for part in parts]
            )
            for name in names
        },
    )


def _minutes_of(
    minutes: Sequence[Document], told: Iterable[str], named: str
) -> Minutes:
    """Return columns of minutes that are whole."""
    by_name = [each.get(named, _NONE) for each in minutes]
    names = sorted({name for each in by_name for name in each})
    return Minutes(
        _moments([each["start"] for each in minutes]),
        {
            name: np.array([each.get(name) for each in minutes], np.float64)
            for name in told
        },
        {
            name: np.array([each.get(name, 0.0) for each in by_name], np.float64)
            for name in names
        },
    )


def _delays_of(documents: Sequence[Document]) -> Delays:
    there = [each for each in documents if isinstance(each.get("start"), datetime)]
    bins = [bins_of(each) for each in there]
    told = [pair for each in bins for pair in each]
    columns = np.array(told, np.float64).reshape(-1, 2)
    starts = _moments([each["start"] for each in there])
    at = np.repeat(starts, [len(each) for each in bins])
    return Delays(at, columns[:, 0].astype(np.intp), columns[:, 1])


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
    told: list[Any] = [get(name, 0) for name in _ALWAYS]
    told += [*phases.values(), *rejected.values()]
    told += [n for n in map(get, _AT_TIMES) if n is not None]
    # of thousands of minutes: a sum is finite where all that was added is
    return _NUMBERS.issuperset(map(type, told)) and isfinite(sum(told))


def _moments(starts: Iterable[datetime]) -> Moments:
    return np.array([at.replace(tzinfo=None) for at in starts], "datetime64[us]")
