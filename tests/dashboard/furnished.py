"""A site with something on every page, and the addresses of all its pages."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from pymongo.database import Database

from dashboard.access import DOORS, KEYED_PAGES, PAGES
from segue import indexes, store
from segue.activity import Level
from segue.clock import rfc3339
from segue.discography import refresh_discography
from segue.names import album_id_of, artist_id_of, genre_id_of
from segue.settings import Settings
from segue.store import Document
from segue.track_index import create_track_index, write_track_index
from tests.dashboard.analytics.mapped import vectors_of, write_days
from tests.dashboard.analytics.played import Library, simulated, write
from tests.dashboard.analytics.served import write_shown
from tests.dashboard.analytics.together import write_population
from tests.dashboard.site import (
    ADA,
    CollectingSink,
    Site,
    list_document,
    served,
    write_library,
)
from tests.segue.audio_space import report_document

ALL_PAGES: Final = ("", *PAGES, *KEYED_PAGES, *(door.strip("/") for door in DOORS))
"""First words of all addresses that show a page."""
PLAYLIST: Final = "0123456789abcdef"
SHARED: Final = PLAYLIST * 2


@contextmanager
def furnished(settings: Settings, folder: Path) -> Iterator[Site]:
    """Serve a site in whose database every page finds something to show."""
    database = store.connect(settings.mongo)
    indexes.prepare(database)
    tracks = [with_ids(each) for each in write_library(folder, 8)]
    store.upsert(database, store.TRACKS, tracks)
    refresh_discography(database)
    listed = list_document(ADA.user_id, ["t1", "t2", "t3", "t4"])
    store.upsert(database, store.RECOMMENDATIONS, [listed])
    store.upsert(database, store.LISTENS, [_listen(n) for n in range(12)])
    store.upsert(database, store.PLAYLISTS, [_playlist()])
    write_stream(database)
    _write_activity(database, tracks)
    _write_served(database, tracks)
    _write_reports(database)
    _write_population(database, tracks)
    with served(settings, CollectingSink()) as port:
        yield Site(port, CollectingSink(), database, folder, mongo=settings.mongo)
    database.client.close()


def address(name: str, database: Database[Document]) -> str:
    """Return the address of a page; one of a thing gets the key of a real one."""
    if name not in KEYED_PAGES:
        return f"/{name}"
    return f"/{name}/{_KEYS[name](database)}"


_KEYS: Final[Mapping[str, Callable[[Database[Document]], str]]] = {
    "album": lambda database: _first_of(database, store.ALBUMS),
    "artist": lambda database: _first_of(database, store.ARTISTS),
    "genre": lambda database: _first_of(database, store.GENRES),
    "playlist": lambda _: PLAYLIST,
    "shared": lambda _: SHARED,
    "track": lambda _: "t1",
}


def _write_activity(database: Database[Document], tracks: list[Document]) -> None:
    now = datetime.now(UTC)
    shelf = Library(
        {each["_id"]: each["artist_id"] for each in tracks},
        {each["_id"]: each["genre_ids"] for each in tracks},
    )
    played = [*shelf.artist_of, "unknown"]
    write(database, simulated(now, timedelta(hours=2), 300, played), shelf, now)


def _write_served(database: Database[Document], tracks: list[Document]) -> None:
    """Write what became of lists, and models that were trained and judged."""
    ids = [each["_id"] for each in tracks]
    write_shown(database, datetime.now(UTC), 60, timedelta(days=3), ids)


def _write_reports(database: Database[Document]) -> None:
    now = datetime.now(UTC)
    reports = [
        report_document("v1", now - timedelta(days=1)),
        report_document("v2", now, louder=0.7),
    ]
    store.upsert(database, store.AUDIO_REPORTS, reports)


def _write_population(database: Database[Document], tracks: list[Document]) -> None:
    styles = sorted({key for each in tracks for key in each["genre_ids"]})
    names = [each["_id"] for each in tracks]
    write_population(database, datetime.now(UTC).date(), styles, names)


def _write_map(database: Database[Document], home: Path, ids: list[str]) -> None:
    index = create_track_index("v1", ids, vectors_of(len(ids)))
    write_track_index(home / "index", index)
    write_days(database, index, datetime.now(UTC), (8, 8), 5)


def _first_of(database: Database[Document], collection: str) -> str:
    found = database[collection].find_one()
    assert found is not None
    return str(found["_id"])


def with_ids(track: Document) -> Document:
    """Return a track as a scan writes it."""
    artist = track["artist"]
    return track | {
        "main_artist": artist,
        "artist_id": artist_id_of(artist),
        "album_artist": artist,
        "album_artist_tag": artist,
        "album_id": album_id_of(artist, track["album"]),
        "genres": [track["genre"]],
        "genre_ids": [genre_id_of(track["genre"])],
        "year": 2020,
    }


def _listen(number: int) -> Document:
    user_id, play_id = ADA.user_id, f"p{number}"
    return {
        "_id": f"{user_id}|{play_id}",
        "user_id": user_id,
        "play_id": play_id,
        "session_id": f"s{number // 4}",
        "track_id": f"t{number % 6}",
        "action": "skipped" if number % 3 == 0 else "completed",
        "listened_at": datetime.now(UTC) - timedelta(minutes=7 * number),
        "played_ms": 4000,
        "duration_ms": 4000,
        "weight": 1.0,
        "source": None,
        "word": 2,
    }


def _playlist() -> Document:
    user_id, now = ADA.user_id, datetime.now(UTC)
    return {
        "_id": f"{user_id}|{PLAYLIST}",
        "user_id": user_id,
        "name": "Evenings",
        "track_ids": ["t1", "t4", "t2"],
        "duration_ms": 12_000,
        "version": 1,
        "created_at": now,
        "changed_at": now,
        "shared": SHARED,
    }


def write_stream(database: Database[Document]) -> datetime:
    """Write what a stream has noted that runs since half an hour.

    Returns
    -------
    datetime
        The newest minute of it.
    """
    now = datetime.now(UTC)
    store.upsert(database, store.STREAM_PROGRESS, map(_progress, ("intake", "taste")))
    start = Level.MINUTE.start_of(now)
    ago = [timedelta(minutes=n) for n in range(30)]
    delays = ((start - each, {"50": 3, "60": 1}) for each in ago)
    store.upsert(
        database,
        store.LIST_DELAYS,
        ({"_id": rfc3339(at), "start": at, "n": n} for at, n in delays),
    )
    minutes = [_minute(name, start - a) for a in ago for name in ("intake", "taste")]
    counts = {"n_read": 9, "n_late": 2, "n_known": 1, "rejected": {"not_json": 1}}
    minutes += [_noted("messages", start - each) | counts for each in ago]
    store.upsert(database, store.STREAM_MINUTES, minutes)
    return start


def _progress(name: str) -> Document:
    return {
        "_id": name,
        "updated_at": datetime.now(UTC),
        "batch_id": 7,
        "duration_ms": {"addBatch": 80, "walCommit": 20, "triggerExecution": 110},
        "n_waiting": 3,
        "waiting": [{"topic": "playback.events", "partition": 0, "n": 3}],
    }


def _noted(query: str, start: datetime) -> Document:
    return {"_id": f"{query}|{rfc3339(start)}", "query": query, "start": start}


def _minute(query: str, start: datetime) -> Document:
    return _noted(query, start) | {
        "n_rows": 60,
        "n_batches": 40,
        "n_dropped": 0,
        "input_rows_per_s": 1.0,
        "processed_rows_per_s": 40.0,
        "duration_ms": {"addBatch": 80.0, "walCommit": 20.0, "triggerExecution": 110.0},
        "longest_ms": 400.0,
        "state_rows": 12,
        "state_bytes": 2_000_000,
        "watermark_lag_s": 1500.0,
        "n_waiting": 3,
    }
