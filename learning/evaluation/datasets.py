"""Plays to evaluate with: our own archive, and the files of known data sets.

The person brings the files. Listeners and items are numbered in the order of their
names, so that the same file always gives the same numbers.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import IO, Final, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from learning.plays import whole_keys
from models.listens import last_words
from models.recommenders.plays import Plays
from segue.errors import HistoryError
from segue.events import listen_weight
from segue.track_names import name_id_of
from streaming.archive import FOLDER, dates_of, read_date
from streaming.columns import dicts
from streaming.importers.lastfm import read_lastfm
from streaming.importers.listenbrainz import read_listenbrainz as read_listens
from streaming.importers.pieces import iter_tsv
from streaming.importers.play import Line, Play, Refusal
from streaming.panes import entry_of
from streaming.schemas import EVENT_FIELDS

_Reader = Callable[[IO[bytes], str], Iterator[Line]]
_FIELDS: Final = [field.name for field in EVENT_FIELDS]
_ROWS_AT_ONCE: Final = 50_000
_HEAD_BYTES: Final = 4096
_NEUTRAL_STARS: Final = 3
_STARS_PER_WEIGHT: Final = 2
_MOVIELENS_COLUMNS: Final = 4
_HETREC_COLUMNS: Final = 3


class Said(NamedTuple):
    """One play: who, what, how much it says, when (seconds; 0: unknown), by whom."""

    listener: str
    item: str
    weight: float
    at_s: int
    artist: str | None = None


@dataclass(frozen=True, eq=False)
class Dataset:
    """Plays with the names behind their numbers.

    Attributes
    ----------
    name : str
    has_times : bool
    artists : ndarray of int32, shape (n_items,), or None
        The artist of each item; None where nothing tells.
    """

    name: str
    plays: Plays
    listeners: Sequence[str]
    items: Sequence[str]
    has_times: bool
    artists: NDArray[np.int32] | None


def create_dataset(name: str, said: Iterable[Said]) -> Dataset:
    """Return the plays that say something, numbered.

    Raises
    ------
    HistoryError
        When there are none.
    """
    rows = [each for each in said if each.weight != 0]
    if not rows:
        raise HistoryError(f"{name}: no play in it that says something")
    listeners, of_listener = _numbered([each.listener for each in rows])
    items, of_item = _numbered([each.item for each in rows])
    at_s = np.array([each.at_s for each in rows], dtype=np.int64)
    plays = Plays(
        of_listener,
        of_item,
        np.array([each.weight for each in rows]),
        at_s,
        len(listeners),
        len(items),
    )
    has_times = bool(at_s.all())
    return Dataset(name, plays, listeners, items, has_times, _artists(rows, of_item))


def _numbered(names: list[str]) -> tuple[list[str], NDArray[np.int32]]:
    distinct = sorted(set(names))
    number = {name: at for at, name in enumerate(distinct)}
    return distinct, np.array([number[name] for name in names], dtype=np.int32)


def _artists(
    rows: Sequence[Said], of_item: NDArray[np.int32]
) -> NDArray[np.int32] | None:
    if any(each.artist is None for each in rows):
        return None
    _, of_row = _numbered([str(each.artist) for each in rows])
    artists = np.empty(int(of_item.max()) + 1, dtype=np.int32)
    artists[of_item] = of_row
    return artists


def read_archived(home: Path, dates: Sequence[date] | None = None) -> Dataset:
    """Return what our own archive holds, of some dates or of all.

    Raises
    ------
    HistoryError
        When nothing is archived.
    """
    folder = home / FOLDER
    days = dates_of(folder) if dates is None else dates
    return create_dataset("archive", _archived(folder, days))


def _archived(folder: Path, days: Sequence[date]) -> Iterator[Said]:
    tables = [read_date(folder, day).select(_FIELDS) for day in days]
    if not tables:
        return
    events = pa.concat_tables(tables).sort_by("user_id").to_batches(_ROWS_AT_ONCE)
    for batch in whole_keys(events, "user_id"):
        for user_id, rows in groupby(dicts(batch), key=itemgetter("user_id")):
            for track_id, weight, at in last_words(map(entry_of, rows)).listens:
                yield Said(user_id, track_id, weight, int(at.timestamp()))


def read_movielens(path: Path) -> Dataset:
    """Return MovieLens-100K, `u.data`: listener, item, stars, seconds, between tabs.

    Three stars say nothing, five are a whole play, one is a skip at once.
    """
    return create_dataset("movielens-100k", _lines_of(path, _movielens_line))


def read_hetrec(path: Path) -> Dataset:
    """Return HetRec-2011, `user_artists.dat`: listener, artist, plays; no times."""
    file = path / "user_artists.dat" if path.is_dir() else path
    return create_dataset("hetrec-2011-lastfm", _lines_of(file, _hetrec_line, skip=1))


def read_lastfm_1k(path: Path) -> Dataset:
    """Return Last.fm-1K: listener, time, artist's id and name, track's id and name."""
    return create_dataset("lastfm-1k", _imported(path, read_lastfm))


def read_listenbrainz(path: Path) -> Dataset:
    """Return listens in ListenBrainz's JSON, one a line or one document."""
    return create_dataset("listenbrainz", _imported(path, read_listens))


KINDS: Final[dict[str, Callable[[Path], Dataset]]] = {
    "lastfm-1k": read_lastfm_1k,
    "hetrec": read_hetrec,
    "listenbrainz": read_listenbrainz,
    "movielens": read_movielens,
}
"""What `segue evaluate --data` knows."""


def _lines_of(
    path: Path, read: Callable[[list[str]], Said], skip: int = 0
) -> Iterator[Said]:
    with path.open("rb") as file:
        for number, cells in enumerate(iter_tsv(file), start=1):
            if number <= skip:
                continue
            try:
                if isinstance(cells, Refusal):
                    raise ValueError(cells.detail)
                yield read(cells)
            except ValueError as error:
                raise HistoryError(f"{path}, line {number}: {error}") from None


def _movielens_line(cells: list[str]) -> Said:
    listener, item, stars, at_s = cells[:_MOVIELENS_COLUMNS]
    weight = (float(stars) - _NEUTRAL_STARS) / _STARS_PER_WEIGHT
    return Said(listener, item, weight, int(at_s))


def _hetrec_line(cells: list[str]) -> Said:
    listener, item, n_plays = cells[:_HETREC_COLUMNS]
    weight = float(n_plays)
    if not math.isfinite(weight) or weight < 0:
        raise ValueError(f"{n_plays!r} is no number of plays")
    return Said(listener, item, weight, 0)


def _imported(path: Path, read: _Reader) -> Iterator[Said]:
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES).decode("utf-8", "replace")
        file.seek(0)
        for line in read(file, head):
            if isinstance(line, Play):
                yield _heard(line)


def _heard(play: Play) -> Said:
    return Said(
        play.listener or "",
        name_id_of(play.name.artist, play.name.title),
        listen_weight(play.action, play.played_ms, None),
        int(play.at.timestamp()),
        play.name.artist.casefold(),
    )
