"""Builders of the records that tests speak about."""

from datetime import UTC, datetime, timedelta
from itertools import count

import numpy as np

from segue.events import Action, PlaybackEvent
from segue.track_index import TrackIndex, create_track_index

START = datetime(2026, 5, 3, 22, 10, tzinfo=UTC)
_numbers = count()


def create_index(n_tracks: int = 40, n_dims: int = 8, seed: int = 3) -> TrackIndex:
    """Return an index of random unit vectors, `t000` …"""
    vectors = np.random.default_rng(seed).normal(size=(n_tracks, n_dims))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    ids = [f"t{number:03d}" for number in range(n_tracks)]
    return create_track_index(f"v{seed}", ids, vectors.astype(np.float32))


def create_event(
    action: Action = Action.COMPLETED,
    track_id: str = "t000",
    user_id: str = "ada",
    at: datetime = START,
    event_id: str | None = None,
    play_id: str | None = None,
    played_ms: int | None = None,
) -> PlaybackEvent:
    """Return an event about a track of one minute."""
    number = next(_numbers)
    return PlaybackEvent(
        event_id=event_id or f"e{number}",
        user_id=user_id,
        track_id=track_id,
        session_id="s",
        play_id=play_id or f"p{number}",
        action=action,
        event_time=at,
        played_ms=played_ms,
        duration_ms=60_000,
        source={"surface": "simulator"},
    )


def seconds(number: float) -> timedelta:
    """Return a span of so many seconds."""
    return timedelta(seconds=number)
