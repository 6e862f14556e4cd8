"""What was played, by span of time: columns of counts, as MongoDB documents hold them.

A span is a minute, an hour, a day or a month, in UTC. Of each span there are several
kinds of keys: the surface on which was played, the artist, the style, the track, and
one key for all. Spans add up: a longer one is the sum of its shorter ones, and its
listeners are the union of theirs, as sketches (HyperLogLog, error about 1.6 %).

`_id` is `level|start|kind|part`; a span of very many keys has several parts.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from segue.clock import rfc3339
from segue.packed import Packed
from segue.sketches import union_of
from segue.store import Document

COUNTS: Final = (
    *("n_started", "n_completed", "n_skipped", "n_left", "n_listed"),
    *("n_liked", "n_disliked", "heard_ms"),
)
"""Columns of counts. `n_left` are plays that ended neither completed nor skipped, and
`n_listed` those that began in a list of recommendations; `heard_ms` is of all these."""
SHARES: Final = ("ended_at", "skipped_at")
"""Columns of plays that ended, and of skips, by twentieths of the track."""
N_SHARES: Final = 20
MOST_KEYS: Final = 20_000
"""Of one document."""
# of keys and sketches in it, about. MongoDB takes 16 MiB; counts are 208 bytes a key
_MOST_BYTES: Final = 8 << 20
_STORED: Final = dict.fromkeys((*COUNTS, *SHARES), np.int32) | {"heard_ms": np.int64}
_DIGEST_BYTES: Final = 8


class Level(StrEnum):
    """How long a span is."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    MONTH = "month"

    def start_of(self, at: datetime) -> datetime:
        """Return the start of the span in which a time lies.

        Examples
        --------
        >>> from datetime import UTC
        >>> Level.DAY.start_of(datetime(2026, 5, 3, 22, 10, tzinfo=UTC)).isoformat()
        '2026-05-03T00:00:00+00:00'
        """
        zeros = {"second": 0, "microsecond": 0}
        if self is not Level.MINUTE:
            zeros["minute"] = 0
        if self in (Level.DAY, Level.MONTH):
            zeros["hour"] = 0
        if self is Level.MONTH:
            zeros["day"] = 1
        return at.replace(**zeros)  # type: ignore[arg-type]

    def end_of(self, start: datetime) -> datetime:
        """Return where the span ends that begins with `start`."""
        if self is Level.MONTH:
            return self.start_of(start + timedelta(days=31))
        return start + timedelta(**{f"{self.value}s": 1})


class Kind(StrEnum):
    """What the keys of a span are."""

    ALL = "all"
    SURFACE = "surface"
    ARTIST = "artist"
    STYLE = "style"
    TRACK = "track"


@dataclass(frozen=True, slots=True)
class Cells:
    """What happened in one span, by key.

    Attributes
    ----------
    codes : int64 array of shape (n,)
        `code_of` each key, ascending.
    columns : mapping of int64 arrays
        Of `COUNTS`, of shape (n,), and of `SHARES`, of shape (n, N_SHARES), those that
        were read; shares that were read are int32, as they are stored.
    keys : Packed, optional
        The keys themselves, UTF-8. None where they were not read.
    listeners : Packed, optional
        A sketch each, of who played. None where they were not read.
    """

    codes: NDArray[np.int64]
    columns: Mapping[str, NDArray[np.int64]]
    keys: Packed | None = None
    listeners: Packed | None = None

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def n_bytes(self) -> int:
        """Memory that all of it takes."""
        packed = [each for each in (self.keys, self.listeners) if each is not None]
        n_bytes = sum(column.nbytes for column in self.columns.values())
        n_bytes += sum(len(each.content) + each.ends.nbytes for each in packed)
        return self.codes.nbytes + n_bytes

    @property
    def n_plays(self) -> NDArray[np.int64]:
        """Plays that have ended."""
        told = self.columns
        return told["n_completed"] + told["n_skipped"] + told["n_left"]

    def take(self, rows: NDArray[np.intp]) -> "Cells":
        """Return some rows; `codes` ascend only if `rows` do."""
        return Cells(
            self.codes[rows],
            {name: column[rows] for name, column in self.columns.items()},
            None if self.keys is None else self.keys.take(rows),
            None if self.listeners is None else self.listeners.take(rows),
        )


def code_of(key: str) -> int:
    """Return a number for a key; that two keys share one does not happen.

    Examples
    --------
    >>> code_of("t1")
    3012898748006197707
    """
    digest = hashlib.blake2b(key.encode("utf-8", "replace"), digest_size=_DIGEST_BYTES)
    return int.from_bytes(digest.digest(), "little", signed=True)


def empty() -> Cells:
    """Return the cells of a span in which nothing happened."""
    columns = {name: np.zeros(0, np.int64) for name in COUNTS}
    columns |= {name: np.zeros((0, N_SHARES), np.int64) for name in SHARES}
    return Cells(np.zeros(0, np.int64), columns, Packed.of([]), Packed.of([]))


def added(spans: Sequence[Cells]) -> Cells:
    """Return the sum of several spans: of counts, and the union of listeners.

    Columns, keys and sketches are there where all spans have them.
    """
    if not spans:
        return empty()
    if len(spans) == 1:
        return spans[0]
    stacked = np.concatenate([span.codes for span in spans])
    codes, first, place = np.unique(stacked, return_index=True, return_inverse=True)
    names = set.intersection(*(set(span.columns) for span in spans))
    return Cells(
        codes,
        {name: _sum(spans, name, place, len(codes)) for name in names},
        _picked([span.keys for span in spans], first),
        _united([span.listeners for span in spans], place, len(codes)),
    )


def _sum(
    spans: Sequence[Cells], name: str, place: NDArray[np.intp], size: int
) -> NDArray[np.int64]:
    stacked = np.concatenate([span.columns[name] for span in spans])
    if stacked.ndim == 1:
        # exact: no sum comes near to 2 ** 53
        return np.bincount(place, stacked, size).astype(np.int64)
    columns = [np.bincount(place, column, size) for column in stacked.T]
    return np.stack(columns, axis=1).astype(np.int64)


def _picked(columns: Sequence[Packed | None], rows: NDArray[np.intp]) -> Packed | None:
    stacked = _stacked(columns)
    return None if stacked is None else stacked.take(rows)


def _united(
    columns: Sequence[Packed | None], place: NDArray[np.intp], size: int
) -> Packed | None:
    stacked = _stacked(columns)
    if stacked is None:
        return None
    rows = np.argsort(place, kind="stable")
    bounds = np.searchsorted(place[rows], np.arange(size + 1))
    return Packed.of(
        stacked[int(rows[start])]
        if end - start == 1
        else union_of(stacked.take(rows[start:end]))
        for start, end in pairwise(bounds)
    )


def _stacked(columns: Sequence[Packed | None]) -> Packed | None:
    there = [column for column in columns if column is not None]
    if len(there) < len(columns):
        return None
    starts = np.cumsum([0, *(len(column.content) for column in there)], dtype=np.int32)
    ends = [column.ends + start for column, start in zip(there, starts, strict=False)]
    return Packed(b"".join(column.content for column in there), np.concatenate(ends))


def documents(
    level: Level, start: datetime, kind: Kind, cells: Cells, more: Mapping[str, Any]
) -> Iterator[Document]:
    """Yield the documents of a span, by parts.

    Parameters
    ----------
    more : mapping
        Fields that each of them has besides.

    Raises
    ------
    ValueError
        For cells without keys or listeners.
    """
    for part, some in enumerate(_parts(cells)):
        if some.keys is None or some.listeners is None:
            raise ValueError("a span is stored with its keys and listeners")
        yield {
            "_id": f"{level}|{rfc3339(start)}|{kind}|{part}",
            "level": level.value,
            "start": start,
            "kind": kind.value,
            "part": part,
            "codes": some.codes.tobytes(),
            **{
                name: some.columns[name].astype(stored).tobytes()
                for name, stored in _STORED.items()
            },
            "keys": some.keys.as_document(),
            "listeners": some.listeners.as_document(),
            **more,
        }


def _parts(cells: Cells) -> Iterator[Cells]:
    """Yield the cells by parts of which each is small enough for a document."""
    n_bytes = np.zeros(len(cells), np.int64)
    for column in (cells.keys, cells.listeners):
        if column is not None:
            n_bytes += np.diff(column.ends, prepend=0)
    # the last row of each part, by the bytes of all before it
    part = np.cumsum(n_bytes) // _MOST_BYTES
    ends = {*(np.flatnonzero(np.diff(part)) + 1).tolist(), len(cells)}
    ends |= {*range(MOST_KEYS, len(cells), MOST_KEYS)}
    for first, end in pairwise([0, *sorted(ends)]):
        is_whole = (first, end) == (0, len(cells))
        yield cells if is_whole else cells.take(np.arange(first, end))


def _column(name: str, content: bytes) -> NDArray[Any]:
    read = np.frombuffer(content, _STORED[name])
    if name in SHARES:  # most of what is read: nothing is copied
        return read.reshape(-1, N_SHARES)
    return read.astype(np.int64, copy=False)


def cells_of(document: Mapping[str, Any]) -> Cells:
    """Return what a document says: all of it that was read."""
    columns = {
        name: _column(name, document[name]) for name in _STORED if name in document
    }
    keys, listeners = document.get("keys"), document.get("listeners")
    return Cells(
        np.frombuffer(document["codes"], np.int64),
        columns,
        None if keys is None else Packed.from_document(keys),
        None if listeners is None else Packed.from_document(listeners),
    )
