"""A catalogue, listeners and their listens in MongoDB, as a dashboard finds them."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import numpy as np
from pymongo.database import Database
from tqdm import tqdm

from benches.stack import write_index
from models.listens import Entry
from segue import indexes, store
from segue.clock import system_clock
from segue.discography import refresh_discography
from segue.events import Action
from segue.names import artist_id_of, genre_id_of
from segue.settings import Settings
from segue.track_index import TrackIndex
from segue.track_names import name_id_of
from streaming.facts import read_groups
from streaming.listens import listen_document
from streaming.tastes import create_lists, known_of

_TRACKS_PER_ALBUM, _ALBUMS_PER_ARTIST, _STYLES = 10, 4, 40
_LENGTH_MS: Final = 210_000
_SHARE_HEARD_OUT: Final = 0.7
_AT_ONCE: Final = 10_000
_SYLLABLES: Final = (
    *("ka", "lo", "mi", "ren", "tas", "vel", "no", "shu", "dor", "pi", "an", "gri"),
    *("bel", "cor", "fen", "hal", "jo", "lu", "mar", "ost", "qui", "sel", "tor", "wen"),
)


class Filled(NamedTuple):
    """What was written.

    Attributes
    ----------
    track_ids : list of str
        All tracks.
    listener : str
        One who has a list and a long history.
    """

    track_ids: list[str]
    listener: str


def fill(
    settings: Settings,
    database: Database[store.Document],
    n_tracks: int,
    n_listens: int,
    n_listeners: int,
) -> Filled:
    """Write tracks, an index of their sound, listens, tastes and lists."""
    rng = np.random.default_rng(8)
    indexes.prepare(database)
    index = write_index(settings.home, n_tracks, rng)
    tracks = [_track(number, rng) for number in range(n_tracks)]
    for first in range(0, n_tracks, _AT_ONCE):
        database[store.TRACKS].insert_many(tracks[first : first + _AT_ONCE])
    refresh_discography(database)
    store.touch_catalogue(database)
    names = [f"listener-{number:05d}" for number in range(n_listeners)]
    plays = [_plays(name, n_listens // n_listeners, index, rng) for name in names]
    _write_listens(database, plays, n_listens)
    _write_lists(settings, database, plays, index)
    return Filled(list(index.track_ids), names[0])


def _name(number: int, salt: int) -> str:
    """Return a name that looks like one; different numbers may share parts of it."""
    rng = np.random.default_rng([number, salt])
    words = [
        "".join(rng.choice(_SYLLABLES, rng.integers(2, 4))).capitalize()
        for _ in range(2)
    ]
    return " ".join(words)


def _track(number: int, rng: np.random.Generator) -> store.Document:
    album = number // _TRACKS_PER_ALBUM
    artist = _name(album // _ALBUMS_PER_ARTIST, 1)
    style = _name(album % _STYLES, 3)
    title, of_album = _name(number, 0), _name(album, 2)
    at = system_clock() - timedelta(minutes=number % 10_000)
    return {
        "_id": f"t{number:07d}",
        "title": title,
        "artist": artist,
        "main_artist": artist,
        "album_artist_tag": artist,
        "artist_id": artist_id_of(artist),
        "album": of_album,
        "genre": style,
        "genres": [style],
        "genre_ids": [genre_id_of(style)],
        "name_id": name_id_of(artist, title),
        "year": 1970 + album % 50,
        "track_no": number % _TRACKS_PER_ALBUM + 1,
        "duration_s": float(rng.uniform(120, 400)),
        "path": f"/nowhere/{album}/{number}.flac",
        "root": "/nowhere",
        "cover_path": None,
        "content_sha256": f"{number:064x}",
        "scanned_at": at,
        "added_at": at,
    }


def _plays(
    name: str, n: int, index: TrackIndex, rng: np.random.Generator
) -> list[Entry]:
    """Return plays of the last days, by time, of a few artists more than of others."""
    now = system_clock()
    liked = rng.integers(len(index.track_ids), size=20)
    near = liked[rng.integers(len(liked), size=n)] + rng.integers(30, size=n)
    times = np.sort(rng.exponential(3.0, size=n))[::-1]
    return [
        _entry(name, number, index.track_ids[row % len(index.track_ids)], at, rng)
        for number, (row, at) in enumerate(
            zip(near.tolist(), _moments(now, times), strict=True)
        )
    ]


def _moments(now: datetime, days_ago: "np.ndarray[Any, Any]") -> Iterator[datetime]:
    for days in days_ago.tolist():
        at = now - timedelta(days=days, seconds=60)
        yield at.replace(microsecond=at.microsecond // 1000 * 1000)


def _entry(
    name: str, number: int, track_id: str, at: datetime, rng: np.random.Generator
) -> Entry:
    is_end = rng.random() < _SHARE_HEARD_OUT
    return Entry(
        event_id=f"{name}-{number}",
        action=Action.COMPLETED if is_end else Action.SKIPPED,
        track_id=track_id,
        play_id=f"{name}-{number}",
        played_ms=_LENGTH_MS if is_end else int(rng.integers(60_000)),
        duration_ms=_LENGTH_MS,
        event_time=at,
        session_id=at.date().isoformat(),
    )


def _write_listens(
    database: Database[store.Document], plays: Sequence[Sequence[Entry]], n: int
) -> None:
    documents = []
    with tqdm(total=n, desc="listens", mininterval=5) as bar:
        for number, entries in enumerate(plays):
            user_id = f"listener-{number:05d}"
            for entry in entries:
                row = entry._asdict() | {"user_id": user_id, "source": None}
                documents.append(listen_document(row))
            if len(documents) >= _AT_ONCE:
                database[store.LISTENS].insert_many(documents, ordered=False)
                bar.update(len(documents))
                documents = []
    if documents:
        database[store.LISTENS].insert_many(documents, ordered=False)


def _write_lists(
    settings: Settings,
    database: Database[store.Document],
    plays: Sequence[Sequence[Entry]],
    index: TrackIndex,
) -> None:
    """Write tastes and lists as the stream does, of the first hundred listeners."""
    known = {
        f"listener-{number:05d}": known_of(entries, settings.taste, index)
        for number, entries in enumerate(plays[:100])
    }
    groups = read_groups(database, index)
    lists = create_lists(known, index, groups, settings, system_clock())
    store.upsert(database, store.TASTES, lists.tastes)
    store.upsert(database, store.RECOMMENDATIONS, lists.lists)
