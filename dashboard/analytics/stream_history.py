"""The stream's minutes, over a range of time: columns by minute in, by step out."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dashboard.analytics.stream_columns import (
    COUNTS,
    LASTS,
    MOSTS,
    SUMS,
    Delays,
    Floats,
    Minutes,
    Moments,
    Part,
)
from dashboard.analytics.times import Wish
from dashboard.dates import moment
from dashboard.refusals import RefusedError
from segue.activity import Level
from segue.delays import BINS, KEPT, seconds_of

SHARES: Final = {"p50": 0.50, "p95": 0.95, "p99": 0.99}
_MOST_BY_MINUTE: Final = timedelta(hours=6)
_MINUTE: Final = timedelta(minutes=1)
_TOTAL: Final = "triggerExecution"
Column = list[float | None]
Places = NDArray[np.intp]
_MIDDLES_S: Final = np.array([seconds_of(number) for number in BINS.values()])
"""The delay that stands for those of each bin."""


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


def history_in(steps: Steps, part: Part) -> History:
    """Return what columns of a time, all of it within the steps, come to."""
    n_steps = len(steps.starts)
    at = {name: _places(steps, told.at) for name, told in part.queries.items()}
    place = _places(steps, part.messages.at)
    return History(
        steps,
        *_delays(steps, part.delays),
        {
            name: {
                column: _column(column, at[name], told, n_steps)
                for column, told in minutes.told.items()
            }
            for name, minutes in sorted(part.queries.items())
        },
        {
            name: _phases(at[name], minutes, n_steps)
            for name, minutes in sorted(part.queries.items())
        },
        {
            name: _counts(place, told, n_steps)
            for name, told in part.messages.told.items()
        },
        {
            reason: _counts(place, told, n_steps)
            for reason, told in sorted(part.messages.named.items())
        },
    )


def _places(steps: Steps, at: Moments) -> Places:
    """Return of each moment the step in which it lies."""
    start = np.datetime64(steps.start.replace(tzinfo=None), "us")
    return ((at - start) // np.timedelta64(steps.minutes, "m")).astype(np.intp)


def _delays(steps: Steps, delays: Delays) -> tuple[list[int], dict[str, Column]]:
    n_steps, n_bins = len(steps.starts), len(_MIDDLES_S)
    cells = _places(steps, delays.at) * n_bins + delays.bins
    counts = np.bincount(cells, delays.n_lists, n_steps * n_bins)
    up_to = counts.reshape(n_steps, n_bins).cumsum(axis=1)
    n_lists = up_to[:, -1]
    found = {}
    for name, share in SHARES.items():
        is_reached = up_to >= np.ceil(share * n_lists)[:, np.newaxis]
        found[name] = _known(_MIDDLES_S[is_reached.argmax(axis=1)], n_lists > 0)
    return n_lists.astype(np.int64).tolist(), found


def _column(name: str, places: Places, told: Floats, n_steps: int) -> Column:
    """Return a column of a query by step, from its minutes by time."""
    is_known = ~np.isnan(told)
    places, told = places[is_known], told[is_known]
    n_known = np.bincount(places, minlength=n_steps)
    if name in LASTS or name in MOSTS:
        found = np.full(n_steps, -np.inf)
        if name in MOSTS:
            np.maximum.at(found, places, told)
        else:
            found[places] = told
    else:
        found = np.bincount(places, told, n_steps)
        if name not in SUMS:
            found = found / np.maximum(n_known, 1)
    return _known(found, n_known > 0)


def _phases(places: Places, minutes: Minutes, n_steps: int) -> dict[str, Column]:
    """Return the mean of each phase, minutes of more batches counting more."""
    n_batches = np.nan_to_num(minutes.told["n_batches"])
    batches = np.bincount(places, n_batches, n_steps)
    found = {}
    for name in sorted(minutes.named.keys() - {_TOTAL}):
        total = np.bincount(places, minutes.named[name] * n_batches, n_steps)
        found[name] = _known(total / np.maximum(batches, 1), batches > 0)
    return found


def _counts(places: Places, told: Floats, n_steps: int) -> list[int]:
    sums = np.bincount(places, np.nan_to_num(told), n_steps)
    return [int(n) for n in sums.tolist()]


def _known(values: Floats, is_known: NDArray[np.bool_]) -> Column:
    there = zip(values.tolist(), is_known.tolist(), strict=True)
    return [value if is_there else None for value, is_there in there]


def _floor(at: datetime, minutes: int) -> datetime:
    at = Level.MINUTE.start_of(at)
    return at - timedelta(minutes=at.minute % minutes)
