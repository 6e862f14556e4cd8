"""What `segue population` may have written, and dates of one listener's taste."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
from pymongo.database import Database

from segue import store
from segue.population import CLUSTER, COHORT, RUN, SESSIONS, population_id
from segue.store import Document
from segue.track_index import TrackIndex, create_track_index, write_track_index

MADE_AT = datetime(2026, 5, 4, 3, tzinfo=UTC)


def write_population(
    database: Database[Document], today: date, styles: list[str], tracks: list[str]
) -> list[Document]:
    """Write documents of 40 dates, six first weeks and two clusters; return them."""
    found = [
        *(_sessions(today - timedelta(days=n), n) for n in range(40)),
        *(_cohort(today, n) for n in range(6)),
        *(_cluster(n, styles[n:], tracks[2 * n :]) for n in range(2)),
        {"_id": population_id(RUN), "kind": RUN},
    ]
    stamped = [each | {"made_at": MADE_AT} for each in found]
    store.upsert(database, store.POPULATION, stamped)
    return stamped


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _sessions(day: date, n: int) -> Document:
    lengths = [3, 4 + n, 0, 2, 1, 0, 1]
    return {
        "_id": population_id(SESSIONS, day.isoformat()),
        "kind": SESSIONS,
        "day": midnight(day),
        "n_sessions": sum(lengths),
        "n_listeners": 5 + n % 7,
        "n_plays": 9 * sum(lengths),
        "heard_ms": 900_000 * sum(lengths),
        "length_ms": 1_200_000 * sum(lengths),
        "lengths": lengths,
    }


def _cohort(today: date, n: int) -> Document:
    first = today - timedelta(days=today.weekday(), weeks=n)
    played = [20 + n, *(None if week == 2 else 10 + week for week in range(1, n + 1))]
    return {
        "_id": population_id(COHORT, first.isoformat()),
        "kind": COHORT,
        "first_week": midnight(first),
        "n_listeners": 20 + n,
        "played": played,
    }


def _cluster(n: int, styles: list[str], tracks: list[str]) -> Document:
    return {
        "_id": population_id(CLUSTER, n),
        "kind": CLUSTER,
        "number": n,
        "n_listeners": 30 - 10 * n,
        "n_plays": 400,
        "n_skipped": 100 + n,
        "genre_ids": styles[:2],
        "track_ids": tracks[:2],
        "center": [1.0 - n, float(n), 0.0],
        "retained": [1.0, 0.5, None, 0.25][: 4 - n],
    }


def write_index(home: Path, track_ids: list[str]) -> TrackIndex:
    """Write an index of three dimensions below `home`."""
    rows = np.random.default_rng(4).normal(0, (3, 2, 1), (len(track_ids), 3))
    vectors = (rows / np.linalg.norm(rows, axis=1)[:, None]).astype(np.float32)
    index = create_track_index("v1", sorted(track_ids), vectors)
    write_track_index(home / "index", index)
    return index


def taste_days(
    user_id: str, days: dict[date, dict[str, tuple[float, float]]]
) -> list[Document]:
    """Return the documents of dates on which tracks had these weights."""
    return [
        {
            "_id": f"{user_id}|{day.isoformat()}",
            "user_id": user_id,
            "day": midnight(day),
            "track_ids": list(told),
            "weights": [positive for positive, _ in told.values()],
            "negative_weights": [negative for _, negative in told.values()],
            "reactions": [],
            "blocks": [],
            "n_listens": len(told),
        }
        for day, told in days.items()
    ]
