"""The Free Music Archive data set: `fma_small/000/000002.mp3` and its `tracks.csv`.

The clips carry few tags; what they are stands in `fma_metadata/tracks.csv`, whose
first two lines name each column (a group, a field) and whose third names the index:

    ,album,…,artist,…,track,…
    ,title,…,name,…,duration,…
    track_id,,,,

The file is read line by line, and only the few fields that are shown are kept.
"""

import csv
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from segue.errors import LibraryError
from segue.names import VARIOUS_ARTISTS, main_artist, name_key, split_genres
from segue.tags import UNKNOWN_ALBUM, Tags, clean_text, parse_track_no, parse_year

METADATA_FOLDER: Final = "fma_metadata"
TRACKS_CSV: Final = "tracks.csv"
_FOLDER_TRACKS: Final = 1000
_FILE: Final = re.compile(r"[0-9]{6}")
_NUMBERED: Final = re.compile(r"[0-9]{1,9}")
_MAX_FIELD_CHARS: Final = 1 << 24  # artists write long biographies

_Column = tuple[str, str]
_TITLE: Final = ("track", "title")
_ARTIST: Final = ("artist", "name")
_ALBUM: Final = ("album", "title")
_ALBUM_ID: Final = ("album", "id")
_GENRE: Final = ("track", "genre_top")
_NUMBER: Final = ("track", "number")
_DURATION: Final = ("track", "duration")
_RELEASED: Final = ("album", "date_released")
_RECORDED: Final = ("track", "date_recorded")
_REQUIRED: Final = (_TITLE, _ARTIST, _ALBUM)
_KEPT: Final = (*_REQUIRED, _ALBUM_ID, _GENRE, _NUMBER, _DURATION, _RELEASED, _RECORDED)


@dataclass(frozen=True, slots=True, kw_only=True)
class FmaTrack:
    """A row of `tracks.csv`; None where the row does not tell."""

    title: str | None
    artist: str | None
    album: str | None
    album_artist: str | None
    genre: str | None
    year: int | None
    track_no: int | None
    duration_s: float | None


@dataclass(frozen=True, slots=True)
class FmaTracks:
    """The rows of one `tracks.csv` that somebody asked for.

    Attributes
    ----------
    rows : mapping
        By the number of the track.
    error : str, optional
        Where reading had to end, and why; the rows before that are here.
    stamp : str
        Differs when the file differs.
    """

    rows: Mapping[int, FmaTrack] = field(default_factory=dict)
    error: str | None = None
    stamp: str = ""

    def stamp_of(self, path: Path) -> str:
        """Return from which `tracks.csv` a file takes its tags; empty for none."""
        return self.stamp if fma_number(path) in self.rows else ""

    def told(self, path: Path, tags: Tags) -> Tags:
        """Return the tags of a file, with what its row tells, if it has one."""
        number = fma_number(path)
        row = None if number is None else self.rows.get(number)
        return tags if row is None else with_fma(tags, row)


def fma_number(path: Path) -> int | None:
    """Return the number of a track from where its file lies, in the FMA layout.

    Examples
    --------
    >>> fma_number(Path("fma_small/000/000002.mp3")), fma_number(Path("01/000002.mp3"))
    (2, None)
    """
    if _FILE.fullmatch(path.stem) is None:
        return None
    number = int(path.stem)
    return number if path.parent.name == f"{number // _FOLDER_TRACKS:03d}" else None


def find_tracks_csv(folder: Path) -> Path | None:
    """Return the `tracks.csv` in, or next to, a folder of the data set, if any."""
    places = (folder / METADATA_FOLDER, folder, folder.parent / METADATA_FOLDER)
    paths = (place / TRACKS_CSV for place in places)
    return next((path for path in paths if path.is_file()), None)


def find_fma(
    folder: Path, paths: Iterable[Path], report: Callable[[str], None]
) -> FmaTracks:
    """Read what the data set tells of these files, where `folder` is laid out so.

    Parameters
    ----------
    report : callable
        Takes one line when there is a `tracks.csv` that cannot be read to its end.
    """
    numbers = {number for number in map(fma_number, paths) if number is not None}
    path = find_tracks_csv(folder) if numbers else None
    if path is None:
        return FmaTracks()
    tracks = read_fma(path, numbers)
    if tracks.error is not None:
        report(tracks.error)
    return tracks


def read_fma(path: Path, numbers: Collection[int]) -> FmaTracks:
    """Read the rows of these tracks from `tracks.csv`.

    Never raises for what the file holds: a catalogue with plain tags is better than
    none, and the caller says what `error` says. Memory is that of the rows asked for,
    and of one number for each album.
    """
    rows: dict[int, dict[_Column, str]] = {}
    artists: dict[str, set[str]] = defaultdict(set)
    error, stamp = None, ""
    try:
        status = path.stat()
        stamp = f"{path}|{status.st_size}|{status.st_mtime_ns}"
        for number, row in _iter_rows(path):
            artists[row[_ALBUM_ID]].add(name_key(main_artist(row[_ARTIST])))
            if number in numbers:
                rows[number] = row
    except (OSError, LibraryError) as caught:
        error = f"{path}: {caught}; tracks without a row keep the tags of their files"
    shared = {album_id for album_id, keys in artists.items() if len(keys) > 1}
    tracks = {n: _track(row, shared - {""}) for n, row in rows.items()}
    return FmaTracks(tracks, error, stamp)


def with_fma(tags: Tags, track: FmaTrack) -> Tags:
    """Return tags in which what `tracks.csv` tells stands before what the file tells.

    Only the duration is the file's, where it tells one: the files of the data set are
    clips of 30 s, and `tracks.csv` has the duration of the whole.
    """
    artist = track.artist or tags.artist
    genre = track.genre or tags.genre
    # a folder 000 stands in for the album that the file does not tell
    album = UNKNOWN_ALBUM if _NUMBERED.fullmatch(tags.album) else tags.album
    return replace(
        tags,
        title=track.title or tags.title,
        artist=artist,
        main_artist=main_artist(artist),
        album=track.album or album,
        album_artist_tag=track.album_artist or tags.album_artist_tag,
        genre=genre,
        genres=tags.genres if track.genre is None else split_genres([track.genre]),
        year=track.year or tags.year,
        track_no=track.track_no or tags.track_no,
        duration_s=tags.duration_s or track.duration_s,
    )


def _iter_rows(path: Path) -> Iterator[tuple[int, dict[_Column, str]]]:
    with (
        _long_fields(),
        path.open(encoding="utf-8", errors="replace", newline="") as file,
    ):
        lines = csv.reader(file)
        try:
            columns = _read_header(lines)
            for line in lines:
                if line and _NUMBERED.fullmatch(line[0]):
                    yield int(line[0]), _cells(line, columns)
        except csv.Error as error:
            raise LibraryError(f"line {lines.line_num}: {error}") from error


def _read_header(lines: Iterator[list[str]]) -> dict[_Column, int]:
    """Return where the columns stand that are kept."""
    groups, names, index = (next(lines, []) for _ in range(3))
    at = {column: i for i, column in enumerate(zip(groups, names, strict=False))}
    absent = [" ".join(column) for column in _REQUIRED if column not in at]
    if index[:1] != ["track_id"] or absent:
        lacks = (
            f"the columns {', '.join(absent)}" if absent else "the line `track_id,…`"
        )
        raise LibraryError(
            f"it is no tracks.csv of the FMA data set, it lacks {lacks}; unpack "
            "fma_metadata.zip again"
        )
    return {column: at[column] for column in _KEPT if column in at}


def _cells(line: list[str], columns: Mapping[_Column, int]) -> dict[_Column, str]:
    cells = dict.fromkeys(_KEPT, "")
    return cells | {name: line[at] for name, at in columns.items() if at < len(line)}


def _track(row: Mapping[_Column, str], shared_albums: Collection[str]) -> FmaTrack:
    artist = clean_text(row[_ARTIST])
    is_shared = row[_ALBUM_ID] in shared_albums
    duration_s = _number(row[_DURATION])
    return FmaTrack(
        title=clean_text(row[_TITLE]),
        artist=artist,
        album=clean_text(row[_ALBUM]),
        # the folders hold a thousand tracks of many albums, so they tell nothing
        album_artist=VARIOUS_ARTISTS if is_shared else artist and main_artist(artist),
        genre=clean_text(row[_GENRE]),
        year=parse_year(row[_RELEASED]) or parse_year(row[_RECORDED]),
        track_no=parse_track_no(_number(row[_NUMBER])),
        duration_s=float(duration_s) if duration_s else None,
    )


def _number(text: str) -> int | None:
    return int(text) if _NUMBERED.fullmatch(text) else None


@contextmanager
def _long_fields() -> Iterator[None]:
    before = csv.field_size_limit(_MAX_FIELD_CHARS)
    try:
        yield
    finally:
        csv.field_size_limit(before)
