"""Plays of archived events, counted by span and key: a column at a time.

Only what differs is looked at one by one: each text of `source`, each track, and of
each key of a span each listener.
"""

import functools
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from segue.activity import COUNTS, N_SHARES, SHARES, Cells, Kind, Level, code_of
from segue.events import Action
from segue.packed import Packed
from segue.sketches import sketch_of

COLUMNS: Final = (
    *("user_id", "track_id", "action", "played_ms", "duration_ms"),
    *("event_time", "source"),
)
"""What is read of an event."""
MOST_HEARD_MS: Final = 86_400_000
"""A play that claims to have been heard for longer counts as if for a day."""
MOST_SURFACE_CHARS: Final = 64
NO_SURFACE: Final = "none"
"""The key of plays without a surface, or with one whose name is longer than that."""

_LENGTH_MS: Final = {
    Level.MINUTE: 60_000,
    Level.HOUR: 3_600_000,
    Level.DAY: 86_400_000,
}
_ACTIONS: Final = {
    "n_started": Action.STARTED,
    "n_completed": Action.COMPLETED,
    "n_skipped": Action.SKIPPED,
    # those that have an end
    "n_left": Action.PROGRESSED,
    "n_liked": Action.LIKED,
    "n_disliked": Action.DISLIKED,
}
COUNTED: Final = tuple(action.value for action in _ACTIONS.values())
"""Actions of which something may be counted."""
_ENDS: Final = ("n_completed", "n_skipped", "n_left")
_Ints = NDArray[np.int64]
_Flags = NDArray[np.bool_]
Spans = dict[tuple[datetime, Kind], Cells]


class Facts(NamedTuple):
    """What the catalogue says of a track."""

    artist_id: str | None
    genre_ids: tuple[str, ...]


class _Source(msgspec.Struct):
    """What counts of `source`. It is anybody's text: each may be anything."""

    surface: Any = None
    list_id: Any = None
    end: Any = None


_DECODER: Final = msgspec.json.Decoder(_Source)
_NOTHING: Final = _Source()


class _Coded(NamedTuple):
    """A column as places in a list of its different values; a null has the place -1."""

    values: list[str]
    places: _Ints


class _Keyed(NamedTuple):
    """Rows of events by key of one kind; an event may have several rows, or none."""

    keys: list[str]
    rows: NDArray[np.intp]
    places: _Ints


class _Told(NamedTuple):
    """Events that count, as numbers.

    Attributes
    ----------
    columns : mapping
        Of `COUNTS`: by how much each event adds to it.
    twentieth : int64 array
        Of the track, where the play ended; -1 where no play did, or no length is told.
    """

    at_ms: _Ints
    listeners: _Coded
    tracks: _Coded
    surfaces: _Coded
    columns: Mapping[str, _Ints]
    twentieth: _Ints


def count_spans(events: pa.Table, level: Level, facts: Mapping[str, Facts]) -> Spans:
    """Return what events say of each span in which one of them lies.

    Parameters
    ----------
    events : Table
        Rows of the archive, with `COLUMNS`, in any order.
    level : Level
        Not months: these are sums of days.
    facts : mapping
        By `track_id`, of the tracks that the catalogue knows.

    Returns
    -------
    dict
        By start and kind; without what nothing counts in.
    """
    told = _told(events)
    length_ms = _LENGTH_MS[level]
    numbers, span = np.unique(told.at_ms // length_ms, return_inverse=True)
    starts = [datetime.fromtimestamp(n * length_ms // 1_000, UTC) for n in numbers]
    return {
        (starts[place], kind): cells
        for kind in Kind
        for place, cells in _cells(told, span, _keyed(kind, told, facts))
    }


def are_ends(events: pa.Table) -> NDArray[np.bool_]:
    """Return which events are the end of a play: each play has one.

    Parameters
    ----------
    events : Table
        With `action` and `source`.
    """
    over = pa.array([Action.COMPLETED.value, Action.SKIPPED.value])
    goes_on = pc.equal(events["action"], Action.PROGRESSED.value).to_numpy()
    texts = _coded(events["source"])
    sources = [*_read_sources(texts.values), _NOTHING]
    has_end = _is_told([each.end for each in sources])
    is_over = pc.is_in(events["action"], over).to_numpy()
    return np.asarray(is_over | (goes_on & has_end[texts.places]))


def _told(events: pa.Table) -> _Told:
    asked = pa.array(COUNTED)
    events = events.select(COLUMNS).filter(pc.is_in(events["action"], asked))
    texts = _coded(events["source"])
    # the last is that of events without any
    sources = [*_read_sources(texts.values), _NOTHING]
    is_left = _is_told([each.end for each in sources])[texts.places]
    goes_on = pc.equal(events["action"], Action.PROGRESSED.value).to_numpy() & ~is_left
    events, place = events.filter(pa.array(~goes_on)), texts.places[~goes_on]

    action = pc.index_in(events["action"], asked).to_numpy()
    columns = {
        name: (action == number).astype(np.int64)
        for number, name in enumerate(_ACTIONS)
    }
    is_end = sum(columns[name] for name in _ENDS) > 0
    is_listed = _is_told([each.list_id for each in sources])[place]
    columns["n_listed"] = (is_end & is_listed).astype(np.int64)
    played_ms = np.minimum(_whole(events["played_ms"]), MOST_HEARD_MS)
    columns["heard_ms"] = np.where(is_end, np.maximum(played_ms, 0), 0)
    of_text = _surfaces([each.surface for each in sources])
    at = events["event_time"].cast(pa.timestamp("ms", "UTC"), safe=False)
    return _Told(
        at.cast(pa.int64()).to_numpy(),
        _coded(events["user_id"]),
        _coded(events["track_id"]),
        _Coded(of_text.values, of_text.places[place]),
        columns,
        _twentieths(played_ms, _whole(events["duration_ms"]), is_end),
    )


def _twentieths(played_ms: _Ints, duration_ms: _Ints, is_end: _Flags) -> _Ints:
    is_told = is_end & (played_ms >= 0) & (duration_ms > 0)
    share = played_ms * N_SHARES // np.maximum(duration_ms, 1)
    return np.where(is_told, np.minimum(share, N_SHARES - 1), -1)


def _whole(column: pa.ChunkedArray) -> _Ints:
    """Return whole numbers of 0 or more, and -1 for null."""
    return np.asarray(column.fill_null(-1).to_numpy())


def _coded(column: pa.ChunkedArray) -> _Coded:
    # one dictionary for all chunks
    coded = column.combine_chunks().dictionary_encode()
    places = coded.indices.fill_null(-1).cast(pa.int64()).to_numpy()
    return _Coded(coded.dictionary.to_pylist(), places)


def _read_sources(texts: Sequence[str]) -> list[_Source]:
    try:
        return [*map(_DECODER.decode, texts)]
    except (ValueError, RecursionError):
        return [*map(_read_source, texts)]


def _read_source(text: str) -> _Source:
    try:
        return _DECODER.decode(text)
    except (ValueError, RecursionError):
        return _NOTHING


def _is_told(values: Sequence[Any]) -> _Flags:
    return np.array([isinstance(each, str) and each != "" for each in values])


def _surfaces(told: Sequence[Any]) -> _Coded:
    names = [
        each if isinstance(each, str) and 0 < len(each) <= MOST_SURFACE_CHARS else None
        for each in told
    ]
    column = pa.array(names, pa.string()).fill_null(NO_SURFACE)
    return _coded(pa.chunked_array([column]))


def _keyed(kind: Kind, told: _Told, facts: Mapping[str, Facts]) -> _Keyed:
    every = np.arange(len(told.at_ms))
    match kind:
        case Kind.ALL:
            return _Keyed([""], every, np.zeros(len(every), np.int64))
        case Kind.SURFACE:
            return _Keyed(told.surfaces.values, every, told.surfaces.places)
        case Kind.TRACK:
            return _Keyed(told.tracks.values, every, told.tracks.places)
    known = [facts.get(track_id) for track_id in told.tracks.values]
    if kind is Kind.ARTIST:
        of_tracks = [
            [each.artist_id] if each and each.artist_id else [] for each in known
        ]
    else:
        of_tracks = [[*dict.fromkeys(each.genre_ids)] if each else [] for each in known]
    return _by_track(of_tracks, told.tracks.places)


def _by_track(of_tracks: Sequence[Sequence[str]], places: _Ints) -> _Keyed:
    """Return the keys of events whose tracks have them."""
    stacked = [key for keys in of_tracks for key in keys]
    number = {key: n for n, key in enumerate(dict.fromkeys(stacked))}
    flat = np.array([number[key] for key in stacked], np.int64)
    n_keys = np.array([len(keys) for keys in of_tracks], np.int64)
    first = np.cumsum(n_keys) - n_keys
    repeats = n_keys[places]
    rows = np.repeat(np.arange(len(places)), repeats)
    # of each row, its number among those of its event
    within = np.arange(len(rows)) - np.repeat(np.cumsum(repeats) - repeats, repeats)
    return _Keyed([*number], rows, flat[first[places[rows]] + within])


def _cells(
    told: _Told, span: NDArray[np.intp], keyed: _Keyed
) -> Iterator[tuple[int, Cells]]:
    """Yield the cells of each span in which there is a key."""
    keys, rows, places = keyed
    numbers, group = np.unique(span[rows] * len(keys) + places, return_inverse=True)
    cells = _all_cells(told, keyed, numbers, group)
    of_span = numbers // max(1, len(keys))
    found, first = np.unique(of_span, return_index=True)
    for number, (start, end) in zip(
        found.tolist(), pairwise([*first.tolist(), len(numbers)]), strict=True
    ):
        yield number, cells.take(start + np.argsort(cells.codes[start:end]))


def _all_cells(
    told: _Told, keyed: _Keyed, numbers: _Ints, group: NDArray[np.intp]
) -> Cells:
    n, rows = len(numbers), keyed.rows
    columns = {
        name: np.bincount(group, told.columns[name][rows], n).astype(np.int64)
        for name in COUNTS
    }
    is_told = told.twentieth[rows] >= 0
    is_skip = is_told & (told.columns["n_skipped"][rows] > 0)
    for name, wanted in zip(SHARES, (is_told, is_skip), strict=True):
        cell = group[wanted] * N_SHARES + told.twentieth[rows][wanted]
        columns[name] = np.bincount(cell, minlength=n * N_SHARES).reshape(n, N_SHARES)
    key_of = numbers % max(1, len(keyed.keys))
    codes = np.array([code_of(key) for key in keyed.keys], np.int64)
    return Cells(
        codes[key_of],
        columns,
        Packed.of(keyed.keys[place].encode() for place in key_of.tolist()),
        Packed.of(_sketches(told.listeners, rows, group, n)),
    )


def _sketches(
    listeners: _Coded, rows: NDArray[np.intp], group: NDArray[np.intp], n: int
) -> Iterator[bytes]:
    """Yield for each of `n` groups a sketch of the listeners in its rows."""
    n_names = max(1, len(listeners.values))
    pairs = np.sort(group * n_names + listeners.places[rows])
    # sorted before: NumPy would hash them, which takes ten times as long
    pairs = pairs[np.diff(pairs, prepend=-1) > 0]
    bounds = np.searchsorted(pairs // n_names, np.arange(n + 1)).tolist()
    who = (pairs % n_names).tolist()
    # most keys of a minute have one listener
    alone = functools.cache(lambda place: sketch_of([listeners.values[place]]))
    for start, end in pairwise(bounds):
        if end - start == 1:
            yield alone(who[start])
        else:
            yield sketch_of(listeners.values[place] for place in who[start:end])
