"""Made documents for the first page: an index of a few tracks, tastes and listens."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from pymongo.database import Database

from models.taste import Side, Taste
from models.taste_fields import taste_document
from segue import store
from segue.events import Action, listen_weight
from segue.store import Document
from segue.track_index import TrackIndex, create_track_index, write_track_index


def write_index(home: Path, n_tracks: int = 6, version: str = "v1") -> TrackIndex:
    """Write an index of tracks `t0` … on a quarter of a circle, neighbours near."""
    angles = np.linspace(0, np.pi / 2, n_tracks)
    points = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    names = [f"t{n}" for n in range(n_tracks)]
    index = create_track_index(version, names, points, lineage="l")
    write_track_index(home / "index", index)
    return index


def towards(index: TrackIndex, track_id: str, weight: float = 2.0) -> Document:
    """Return the fields of a taste that points to one track."""
    mean = index.vectors[index.row_of[track_id]].astype(np.float64)
    nothing = Side(np.zeros(len(mean)), 0.0)
    return taste_document(Taste(Side(mean, weight), nothing), int(weight))


def taste_of(user_id: str, at: datetime, **horizons: Document) -> Document:
    """Return a document of `tastes`; horizons that are not told know nothing."""
    n_dims = 2
    silent = taste_document(
        Taste(Side(np.zeros(n_dims), 0.0), Side(np.zeros(n_dims), 0.0)), 0
    )
    told = dict.fromkeys(("now", "today", "month", "always"), silent) | horizons
    return {
        "_id": user_id,
        "horizons": told,
        "seeds": [],
        "newest_event_at": at,
        "updated_at": at,
        "index_version": "v1",
        "model_version": None,
    }


def listen(
    user_id: str,
    track_id: str,
    at: datetime,
    part: float = 1.0,
    action: Action = Action.COMPLETED,
    surface: str = "home",
) -> Document:
    """Return a document of `listens` of four minutes, of which a part was heard."""
    played_ms = round(240_000 * part)
    play_id = f"{track_id}-{at.timestamp()}"
    return {
        "_id": f"{user_id}|{play_id}",
        "user_id": user_id,
        "play_id": play_id,
        "session_id": "s1",
        "track_id": track_id,
        "action": action.value,
        "listened_at": at,
        "played_ms": played_ms,
        "duration_ms": 240_000,
        "weight": listen_weight(action, played_ms, 240_000),
        "source": {"surface": surface},
        "word": f"1|{at}",
    }


def session(user_id: str, track_ids: Sequence[str], ends: datetime) -> list[Document]:
    """Return listens, one after the other, the last at `ends`."""
    n = len(track_ids)
    return [
        listen(user_id, track_id, ends - timedelta(minutes=4 * (n - 1 - place)))
        for place, track_id in enumerate(track_ids)
    ]


def write_listens(database: Database[Document], listens: Sequence[Document]) -> None:
    store.upsert(database, store.LISTENS, listens)
