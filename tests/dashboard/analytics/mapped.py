"""A library with a track index beside it, and listeners' days in it."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd  # type: ignore[import-untyped]
from numpy.typing import NDArray
from pymongo.database import Database

from segue import store
from segue.names import artist_id_of, genre_id_of
from segue.store import Document
from segue.track_index import TrackIndex, create_track_index, write_track_index

STYLES = ("ambient", "dub", "house", "jazz")
N_DIMS = 8


def vectors_of(n: int, seed: int = 3) -> NDArray[np.float32]:
    """Return unit vectors: those of one style lie together."""
    rng = np.random.default_rng(seed)
    middles = rng.standard_normal((len(STYLES), N_DIMS))
    found = middles[np.arange(n) % len(STYLES)] + 0.3 * rng.standard_normal((n, N_DIMS))
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    return found.astype(np.float32)


def document(number: int) -> Document:
    style, artist = STYLES[number % len(STYLES)], f"Artist {number % 7}"
    return {
        "_id": f"m{number:05}",
        "title": f"Piece {number}",
        "artist": artist,
        "main_artist": artist,
        "artist_id": artist_id_of(artist),
        "genre": style,
        "genres": [style],
        "genre_ids": [genre_id_of(style)],
        "album": "Pieces",
        "duration_s": 200.0,
        **{"path": "", "root": "", "cover_path": None},
        "added_at": datetime(2026, 5, 1, tzinfo=UTC),
    }


def write_map(
    database: Database[Document], home: Path, n: int, version: str = "v1"
) -> TrackIndex:
    """Write a library of `n` tracks, and the index of all of them."""
    database[store.TRACKS].drop()
    tracks = [document(number) for number in range(n)]
    store.upsert(database, store.TRACKS, tracks)
    store.touch_catalogue(database)
    ids = [each["_id"] for each in tracks]
    index = create_track_index(version, ids, vectors_of(n))
    write_track_index(home / "index", index)
    return index


def write_days(
    database: Database[Document],
    index: TrackIndex,
    now: datetime,
    groups: Sequence[int],
    n_days: int,
) -> list[Document]:
    """Write what listeners heard: each group one style, who plays on most days.

    Parameters
    ----------
    groups : sequence of int
        How many listeners each has.
    """
    rng = np.random.default_rng(11)
    days: list[Document] = []
    for style, size in enumerate(groups):
        own = index.track_ids[style :: len(STYLES)]
        for listener in range(size):
            user_id = f"secret-{style}-{listener}"
            for ago in range(1, n_days + 1):
                if rng.random() < 0.2:
                    continue
                chosen = rng.choice(len(own), min(6, len(own)), replace=False)
                at = datetime.combine((now - timedelta(days=ago)).date(), time(), UTC)
                days.append(
                    {
                        "_id": f"{user_id}|{at.date().isoformat()}",
                        "user_id": user_id,
                        "day": at,
                        "track_ids": [own[each] for each in chosen],
                        "weights": rng.uniform(0, 3, len(chosen)).tolist(),
                        "negative_weights": [0.0] * len(chosen),
                        "reactions": [],
                        "blocks": [],
                        "n_listens": len(chosen),
                    }
                )
    store.upsert(database, store.TASTE_DAYS, days)
    users = {each["user_id"] for each in days}
    store.upsert(database, store.TASTE_PAST, [{"_id": each} for each in users])
    return days


def by_sql(query: str, **tables: pd.DataFrame) -> pd.DataFrame:
    """Return what DuckDB gets from some tables."""
    with duckdb.connect() as duck:
        for name, table in tables.items():
            duck.register(name, table)
        return duck.execute(query).df()
