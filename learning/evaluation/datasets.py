"""Plays to evaluate with: our own archive, and the files of known data sets.

The person brings the files. Listeners and items are numbered in the order of their
names, so that the same file always gives the same numbers.
"""

import math
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import IO, Final, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from learning.plays import entries_of, whole_keys
from models.listens import (
    REACTIONS,
    Entry,
    Listen,
    distinct_entries,
    last_words,
    listen_of,
)
from models.recommenders.plays import Plays
from segue import store
from segue.errors import HistoryError
from segue.events import listen_weight
from segue.settings import MongoSettings, Settings
from segue.track_names import artist_key, name_id_of
from streaming.archive import dates_of, read_date
from streaming.archive_files import FOLDER
from streaming.importers.lastfm import read_lastfm
from streaming.importers.listenbrainz import read_listenbrainz as read_listens
from streaming.importers.pieces import iter_tsv
from streaming.importers.play import Line, Play, Refusal
from streaming.schemas import EVENT_FIELDS

_Reader = Callable[[IO[bytes], str], Iterator[Line]]
_FIELDS: Final = [field.name for field in EVENT_FIELDS]
_ROWS_AT_ONCE: Final = 50_000
_HEAD_BYTES: Final = 4096
_LASTFM_1K: Final = "userid-timestamp-artid-artname-traid-traname.tsv"
_NEUTRAL_STARS: Final = 3
_STARS_PER_WEIGHT: Final = 2
_MOVIELENS_COLUMNS: Final = 4
_HETREC_HEADER: Final = ("userID", "artistID", "weight")


class Said(NamedTuple):
    """One play: who, what, how much it says, when (seconds; 0: unknown), by whom."""

    listener: str
    item: str
    weight: float
    at_s: int
    artist: str | None = None
    is_play: bool = True


@dataclass(frozen=True, eq=False)
class Dataset:
    """Plays with the names behind their numbers.

    Attributes
    ----------
    name : str
    has_times : bool
    artists : ndarray of int32, shape (n_items,), or None
        The artist of each item; None where nothing tells.
    n_refused : int
        Lines of the file of which no play could be made.
    """

    name: str
    plays: Plays
    listeners: Sequence[str]
    items: Sequence[str]
    has_times: bool
    artists: NDArray[np.int32] | None
    n_refused: int = 0


def create_dataset(name: str, lines: Iterable[Said | Refusal]) -> Dataset:
    """Return the plays, numbered; memory grows by their numbers, not by their names.

    Raises
    ------
    HistoryError
        When none says something.
    """
    listeners, items, artists = _Numbers(), _Numbers(), _Numbers()
    rows: tuple[array[int], array[int]] = (array("i"), array("i"))
    weights, at_s, is_play = array("d"), array("q"), array("b")
    artist_of: dict[int, int] = {}
    n_refused = 0
    for said in lines:
        if isinstance(said, Refusal):
            n_refused += 1
            continue
        rows[0].append(listeners.of(said.listener))
        rows[1].append(item := items.of(said.item))
        weights.append(said.weight)
        at_s.append(said.at_s)
        is_play.append(said.is_play)
        if said.artist is not None:
            artist_of[item] = artists.of(said.artist)
    if not any(weights):
        raise HistoryError(
            f"{name}: no play in it that says something ({n_refused} lines refused)"
        )
    who, what = listeners.sorted(), items.sorted()
    plays = Plays(
        who.place[np.array(rows[0])],
        what.place[np.array(rows[1])],
        np.array(weights),
        np.array(at_s),
        len(who.names),
        len(what.names),
        np.array(is_play, dtype=bool),
    )
    by = None
    if len(artist_of) == len(what.names):
        by = np.empty(len(what.names), dtype=np.int32)
        by[what.place[list(artist_of)]] = list(artist_of.values())
    return Dataset(
        name, plays, who.names, what.names, bool(plays.at_s.all()), by, n_refused
    )


class _Sorted(NamedTuple):
    """Names in their order, and the place there of each number."""

    names: list[str]
    place: NDArray[np.int32]


class _Numbers:
    """A number for each name, in the order in which they come."""

    def __init__(self) -> None:
        self._of: dict[str, int] = {}

    def of(self, name: str) -> int:
        return self._of.setdefault(name, len(self._of))

    def sorted(self) -> _Sorted:
        names = sorted(self._of)
        place = np.empty(len(names), dtype=np.int32)
        place[[self._of[name] for name in names]] = np.arange(len(names))
        return _Sorted(names, place)


def read_archived(settings: Settings, dates: Sequence[date] | None = None) -> Dataset:
    """Return what our own archive holds, of some dates or of all.

    Raises
    ------
    HistoryError
        When nothing is archived.
    """
    folder = settings.home / FOLDER
    days = dates_of(folder) if dates is None else dates
    if not days:
        raise HistoryError(
            f"nothing is archived in {folder}; the stream archives what is played, and "
            "`segue import` what was"
        )
    artists = _artists_of(settings.mongo)
    return create_dataset("archive", _archived(folder, days, settings.mongo, artists))


def _artists_of(mongo: MongoSettings) -> dict[str, str]:
    """Return the artist of each track that the catalogue knows."""
    if mongo.uri is None:
        return {}
    database = store.connect(mongo)
    with database.client:
        known = {"artist_id": {"$type": "string"}}
        found = database[store.TRACKS].find(known, ("artist_id",))
        return {track["_id"]: track["artist_id"] for track in found}


def _archived(
    folder: Path,
    days: Sequence[date],
    mongo: MongoSettings,
    artists: Mapping[str, str],
) -> Iterator[Said]:
    tables = [read_date(folder, day).select(_FIELDS) for day in days]
    events = pa.concat_tables(tables).sort_by("user_id").to_batches(_ROWS_AT_ONCE)
    for batch in whole_keys(events, "user_id"):
        for user_id, entries in entries_of(batch, mongo):
            for (track_id, weight, at), is_play in _listens(entries):
                at_s, artist = int(at.timestamp()), artists.get(track_id)
                yield Said(user_id, track_id, weight, at_s, artist, is_play)


def _listens(entries: list[Entry]) -> Iterator[tuple[Listen, bool]]:
    """Yield the last word of each play, and each reaction, and which it is.

    A reaction that is taken back later was one until then.
    """
    yield from ((play, True) for play in last_words(entries).plays)
    for entry in distinct_entries(entries):
        if entry.action in REACTIONS:
            yield listen_of(entry), False


def read_movielens(path: Path) -> Dataset:
    """Return MovieLens-100K, `u.data`: listener, item, stars, seconds, between tabs.

    Three stars say nothing, five are a whole play, one is a skip at once.
    """
    lines = _lines_of(_file_in(path, "u.data"), _movielens_line)
    return create_dataset("movielens-100k", lines)


def read_hetrec(path: Path) -> Dataset:
    """Return HetRec-2011, `user_artists.dat`: listener, artist, plays; no times."""
    file = _file_in(path, "user_artists.dat")
    lines = _lines_of(file, _hetrec_line, header=_HETREC_HEADER)
    return create_dataset("hetrec-2011-lastfm", lines)


def read_lastfm_1k(path: Path) -> Dataset:
    """Return Last.fm-1K: listener, time, artist's id and name, track's id and name."""
    file = _file_in(path, _LASTFM_1K)
    return create_dataset("lastfm-1k", _imported(file, read_lastfm))


def read_listenbrainz(path: Path) -> Dataset:
    """Return listens in ListenBrainz's JSON, one a line or one document."""
    return create_dataset("listenbrainz", _imported(path, read_listens))


def _file_in(path: Path, name: str) -> Path:
    """Return the file itself, or the one of its usual name in a folder."""
    return path / name if path.is_dir() else path


KINDS: Final[dict[str, Callable[[Path], Dataset]]] = {
    "lastfm-1k": read_lastfm_1k,
    "hetrec": read_hetrec,
    "listenbrainz": read_listenbrainz,
    "movielens": read_movielens,
}
"""What `segue evaluate --data` knows."""


def _lines_of(
    path: Path, read: Callable[[list[str]], Said], header: Sequence[str] = ()
) -> Iterator[Said]:
    with _opened(path) as file:
        for number, cells in enumerate(iter_tsv(file), start=1):
            try:
                if isinstance(cells, Refusal):
                    raise ValueError(cells.detail)
                if header and number == 1:
                    _check_header(cells, header)
                else:
                    yield read(cells)
            except ValueError as error:
                raise HistoryError(f"{path}, line {number}: {error}") from None


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    try:
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise HistoryError(f"cannot read {path}: {error.strerror}") from None


def _movielens_line(cells: list[str]) -> Said:
    listener, item, stars, at_s = _columns(cells, _MOVIELENS_COLUMNS)
    weight = (float(stars) - _NEUTRAL_STARS) / _STARS_PER_WEIGHT
    if not abs(weight) <= 1:
        raise ValueError(f"{stars!r} is no number of stars, 1 to 5")
    return Said(listener, item, weight, int(at_s))


def _hetrec_line(cells: list[str]) -> Said:
    listener, item, n_plays = _columns(cells, len(_HETREC_HEADER))
    weight = float(n_plays)
    if not math.isfinite(weight) or weight < 0:
        raise ValueError(f"{n_plays!r} is no number of plays")
    return Said(listener, item, weight, 0)


def _check_header(cells: list[str], wanted: Sequence[str]) -> None:
    # some copies of the data begin with a mark of comments
    if [cell.lstrip("/ ") for cell in cells[: len(wanted)]] != list(wanted):
        raise ValueError(f"want the columns {', '.join(wanted)}; is it of this kind?")


def _columns(cells: list[str], n: int) -> list[str]:
    if len(cells) < n:
        raise ValueError(f"got {len(cells)} columns, want {n} with tabs between them")
    return cells[:n]


def _imported(path: Path, read: _Reader) -> Iterator[Said | Refusal]:
    with _opened(path) as file:
        head = file.read(_HEAD_BYTES).decode("utf-8", "replace")
        file.seek(0)
        for line in read(file, head):
            yield _heard(line) if isinstance(line, Play) else line


def _heard(play: Play) -> Said:
    return Said(
        play.listener or "",
        name_id_of(play.name.artist, play.name.title),
        listen_weight(play.action, play.played_ms, None),
        int(play.at.timestamp()),
        artist_key(play.name.artist),
    )
