"""What `segue population` would have written of a year, and reports on two indexes."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

import numpy as np
from pymongo.database import Database

from benches.analytics_data import N_STYLES
from features.audio_report import Material, make_report
from features.audio_reporting import NO_FAILURES
from features.space import BLOCK_WEIGHTS, fit_space
from segue import store
from segue.activity import Level
from segue.population import CLUSTER, COHORT, RUN, SESSIONS, population_id
from segue.store import Document
from segue.track_index import TrackIndex

_N_DAYS: Final = 365
_N_WEEKS: Final = 52
_N_CLUSTERS: Final = 12
_N_CLASSES: Final = 7
_N_DIMS: Final = 20
"""Of each block of features."""


def fill_population(
    database: Database[Document], now: datetime, index: TrackIndex, n_listeners: int
) -> None:
    """Write sessions of each date, cohorts of each week, and clusters."""
    rng = np.random.default_rng(12)
    documents = [
        *_sessions(Level.DAY.start_of(now), n_listeners, rng),
        *_cohorts(Level.DAY.start_of(now), n_listeners, rng),
        *_clusters(index, n_listeners, rng),
        {"_id": population_id(RUN), "kind": RUN},
    ]
    store.upsert(
        database, store.POPULATION, [each | {"made_at": now} for each in documents]
    )


def _sessions(
    today: datetime, n_listeners: int, rng: np.random.Generator
) -> Iterator[Document]:
    for n in range(_N_DAYS):
        lengths = rng.integers(5, n_listeners, _N_CLASSES).tolist()
        day = today - timedelta(days=n)
        yield {
            "_id": population_id(SESSIONS, day.date().isoformat()),
            "kind": SESSIONS,
            "day": day,
            "n_sessions": sum(lengths),
            "n_listeners": n_listeners,
            "n_plays": 9 * sum(lengths),
            "heard_ms": 900_000 * sum(lengths),
            "length_ms": 1_200_000 * sum(lengths),
            "lengths": lengths,
        }


def _cohorts(
    today: datetime, n_listeners: int, rng: np.random.Generator
) -> Iterator[Document]:
    monday = today - timedelta(days=today.weekday())
    for n in range(_N_WEEKS):
        first = monday - timedelta(weeks=n)
        played = np.sort(rng.integers(5, n_listeners, n + 1))[::-1].tolist()
        yield {
            "_id": population_id(COHORT, first.date().isoformat()),
            "kind": COHORT,
            "first_week": first,
            "n_listeners": played[0],
            "played": played,
        }


def _clusters(
    index: TrackIndex, n_listeners: int, rng: np.random.Generator
) -> Iterator[Document]:
    for n in range(_N_CLUSTERS):
        rows = rng.integers(len(index.track_ids), size=10)
        yield {
            "_id": population_id(CLUSTER, n),
            "kind": CLUSTER,
            "number": n,
            "n_listeners": n_listeners // _N_CLUSTERS,
            "n_plays": 100 * n_listeners,
            "n_skipped": 20 * n_listeners,
            "genre_ids": [f"style{each % N_STYLES:02d}" for each in range(n, n + 3)],
            "track_ids": [index.track_ids[row] for row in rows.tolist()],
            "center": index.vectors[int(rows[0])].tolist(),
            "retained": (0.9 ** np.arange(_N_WEEKS)).tolist(),
        }


def fill_reports(
    database: Database[Document], now: datetime, index: TrackIndex
) -> None:
    """Write what was reported of this index, and of one before it."""
    rng = np.random.default_rng(13)
    n = len(index.track_ids)
    blocks = {
        name: rng.normal(size=(n, _N_DIMS)).astype(np.float32) for name in BLOCK_WEIGHTS
    }
    recordings = [f"r{number // 2}" for number in range(n)]
    at = np.full(n, np.datetime64("2026-05-03"))
    material = Material("bench", blocks, at, recordings, [], NO_FAILURES)
    report = make_report(index, fit_space(blocks, now), 0, material, now)
    before = {"version": "before", "made_at": now - timedelta(days=1)}
    reports = [report, report.model_copy(update=before)]
    store.upsert(
        database, store.AUDIO_REPORTS, [r.model_dump(by_alias=True) for r in reports]
    )
