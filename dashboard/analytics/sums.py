"""What spans of plays come to: totals, series and rankings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dashboard.analytics.spans import Span
from segue.activity import N_SHARES, Cells, added, code_of
from segue.sketches import n_listeners

Counts = NDArray[np.int64]
COLUMNS: Final = ("n_plays", "n_started", "n_completed", "n_skipped", "n_left")
"""Of a series and of a ranking, besides `heard_ms`."""
SHARES_OF: Final = {"skip_share": "n_skipped", "completed_share": "n_completed"}
"""Counts that are compared as parts of all plays."""
LEAST_PLAYS: Final = 10
"""Of a row whose share is compared with those of others."""
_MS_PER_H: Final = 3_600_000


@dataclass(frozen=True, slots=True)
class Totals:
    """Plays of some keys in some spans.

    Attributes
    ----------
    n_listeners : int, optional
        About how many; None where they were not read.
    """

    n_plays: int = 0
    n_started: int = 0
    n_completed: int = 0
    n_skipped: int = 0
    n_left: int = 0
    heard_ms: int = 0
    n_listeners: int | None = None

    @property
    def skip_share(self) -> float | None:
        """Skips per play; None without plays."""
        return self.n_skipped / self.n_plays if self.n_plays else None

    @property
    def completed_share(self) -> float | None:
        """Completed plays per play; None without plays."""
        return self.n_completed / self.n_plays if self.n_plays else None

    @property
    def heard_h(self) -> float:
        """Hours heard."""
        return self.heard_ms / _MS_PER_H


def totals(spans: Sequence[Span], codes: Counts | None = None) -> Totals:
    """Return what spans come to: of all, or of some keys.

    Listeners are there where they were read.
    """
    starts = sorted({span.start for span in spans})
    told = {name: sum(counts) for name, counts in series(spans, starts, codes).items()}
    return Totals(**told, n_listeners=_listeners(spans, codes))


def series(
    spans: Sequence[Span], starts: Sequence[datetime], codes: Counts | None = None
) -> dict[str, list[int]]:
    """Return each count by span, 0 where nothing was played: of all, or some keys."""
    place_of = {start: place for place, start in enumerate(starts)}
    places = np.array([place_of[span.start] for span in spans], np.intp)
    rows = [rows_of(span.cells, codes) for span in spans]
    at = np.repeat(places, [int(some.sum()) for some in rows])
    found = {
        name: np.bincount(at, _chosen(spans, rows, name), minlength=len(starts)).astype(
            np.int64
        )
        for name in (*COLUMNS[1:], "heard_ms")
    }
    ended = found["n_completed"] + found["n_skipped"] + found["n_left"]
    return {name: n.tolist() for name, n in {"n_plays": ended, **found}.items()}


def _chosen(
    spans: Sequence[Span], rows: Sequence[NDArray[np.bool_]], name: str
) -> Counts:
    """Return a column of some rows, of all spans one behind the other."""
    none = np.zeros(0, np.int64)
    return np.concatenate(
        [none, *(s.cells.columns[name][r] for s, r in zip(spans, rows, strict=True))]
    )


def summed(spans: Sequence[Span], more: Cells | None = None) -> Cells:
    """Return the counts of each key over all spans, and over a sum of others."""
    alone = [_counts_alone(span.cells) for span in spans]
    # a sum of nothing has no columns besides the usual ones
    return added(alone if more is None or not len(more) else [more, *alone])


def ranked(cells: Cells, order: str, codes: Counts | None) -> NDArray[np.intp]:
    """Return the rows of the keys that were played, the most first.

    Parameters
    ----------
    order : str
        A count, or one of `SHARES_OF`: by these, keys of fewer than `LEAST_PLAYS`
        plays come last.
    codes : int64 array, optional
        Keys to choose from.
    """
    rows = np.flatnonzero(rows_of(cells, codes))
    plays = cells.n_plays[rows]
    rows, plays = rows[plays > 0], plays[plays > 0]
    by = _measure(cells, order)[rows]
    is_sure = np.ones(len(rows), bool)
    if order in SHARES_OF:
        is_sure = plays >= LEAST_PLAYS
    # of equals, that of more plays; then always the same one
    best = np.lexsort((cells.codes[rows], -plays, -by, ~is_sure))
    return rows[best]


def shares_left(ended_at: Counts) -> list[float]:
    """Return which share still listens at the start of each twentieth of the track.

    Examples
    --------
    >>> shares_left(np.array([1, 0, 1, 2]))
    [1.0, 0.75, 0.75, 0.5]
    """
    total = int(ended_at.sum())
    if not total:
        return []
    gone = np.concatenate([[0], np.cumsum(ended_at)[:-1]])
    return [float(share) for share in 1 - gone / total]


def by_position(spans: Sequence[Span], name: str) -> Counts:
    """Return a column of shares, over all keys and spans."""
    total = np.zeros(N_SHARES, np.int64)
    for span in spans:
        total += span.cells.columns[name].sum(0)
    return total


def codes_of(keys: Sequence[str]) -> Counts:
    """Return the codes of keys, ascending."""
    return np.sort(np.array([code_of(key) for key in keys], np.int64))


def keys_in(spans: Sequence[Span], codes: Sequence[int]) -> dict[int, str]:
    """Return the keys of codes, from spans that have keys."""
    found: dict[int, str] = {}
    for span in spans:
        keys = span.cells.keys
        for code, row in _places(span.cells, codes).items():
            if keys is not None:
                found[code] = keys[row].decode("utf-8", "replace")
    return found


def spans_with(spans: Sequence[Span], codes: Sequence[int]) -> list[Span]:
    """Return few spans in which each of these keys is somewhere, from the newest on."""
    left, chosen = set(codes), []
    for span in reversed(spans):
        there = _places(span.cells, sorted(left)).keys()
        if there:
            chosen.append(span)
            left -= there
    return chosen


def totals_by(spans: Sequence[Span], codes: Sequence[int]) -> dict[int, Totals]:
    """Return what spans come to for each of some keys; with listeners."""
    rows: dict[int, list[tuple[Cells, int]]] = {code: [] for code in codes}
    for span in spans:
        for code, row in _places(span.cells, codes).items():
            rows[code].append((span.cells, row))
    return {code: _totals_at(found) for code, found in rows.items()}


def listeners_by(spans: Sequence[Span], codes: Sequence[int]) -> dict[int, int]:
    """Return about how many listeners each of some keys has, of spans with these."""
    sketches: dict[int, list[bytes]] = {code: [] for code in codes}
    for span in spans:
        listeners = span.cells.listeners
        for code, row in _places(span.cells, codes).items():
            if listeners is not None:
                sketches[code].append(listeners[row])
    return {code: n_listeners(found) for code, found in sketches.items()}


def _totals_at(rows: Sequence[tuple[Cells, int]]) -> Totals:
    told = {
        name: sum(int(cells.columns[name][row]) for cells, row in rows)
        for name in (*COLUMNS[1:], "heard_ms")
    }
    told["n_plays"] = told["n_completed"] + told["n_skipped"] + told["n_left"]
    sketches = [c.listeners[row] for c, row in rows if c.listeners is not None]
    return Totals(**told, n_listeners=n_listeners(sketches))


def plays_by_span(
    spans: Sequence[Span], starts: Sequence[datetime], codes: Sequence[int]
) -> Mapping[int, list[int]]:
    """Return the plays of each of these keys, by span."""
    places = {start: place for place, start in enumerate(starts)}
    found = {code: [0] * len(starts) for code in codes}
    for span in spans:
        plays = span.cells.n_plays
        for code, row in _places(span.cells, codes).items():
            found[code][places[span.start]] += int(plays[row])
    return found


def _places(cells: Cells, codes: Sequence[int]) -> dict[int, int]:
    """Return the rows of those of some keys that are there."""
    wanted = np.array(codes, np.int64)
    if not len(cells) or not len(wanted):
        return {}
    rows = np.minimum(np.searchsorted(cells.codes, wanted), len(cells) - 1)
    is_there = cells.codes[rows] == wanted
    return dict(zip(wanted[is_there].tolist(), rows[is_there].tolist(), strict=True))


def rows_of(cells: Cells, codes: Counts | None) -> NDArray[np.bool_]:
    """Tell of each key whether it is one of some; of all where there are none."""
    if codes is None:
        return np.ones(len(cells), bool)
    if not len(codes):
        return np.zeros(len(cells), bool)
    at = np.minimum(np.searchsorted(codes, cells.codes), len(codes) - 1)
    return np.asarray(codes[at] == cells.codes, bool)


def plays_at(cells: Cells, codes: Counts) -> Counts:
    """Return the plays of each of some keys, 0 of one that is not there."""
    if not len(cells):
        return np.zeros(len(codes), np.int64)
    rows = np.minimum(np.searchsorted(cells.codes, codes), len(cells) - 1)
    return np.where(cells.codes[rows] == codes, cells.n_plays[rows], 0)


def _column(cells: Cells, name: str) -> Counts:
    return cells.n_plays if name == "n_plays" else cells.columns[name]


def _measure(cells: Cells, order: str) -> NDArray[np.float64]:
    if order not in SHARES_OF:
        return _column(cells, order).astype(np.float64)
    return cells.columns[SHARES_OF[order]] / np.maximum(cells.n_plays, 1)


def _counts_alone(cells: Cells) -> Cells:
    flat = {name: each for name, each in cells.columns.items() if each.ndim == 1}
    return Cells(cells.codes, flat)


def _listeners(spans: Sequence[Span], codes: Counts | None) -> int | None:
    if any(span.cells.listeners is None for span in spans):
        return None
    return n_listeners(
        span.cells.listeners[int(row)]
        for span in spans
        if span.cells.listeners is not None
        for row in np.flatnonzero(rows_of(span.cells, codes))
    )
