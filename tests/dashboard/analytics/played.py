"""Simulated plays, and the spans that come of them, as the stream writes them."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd  # type: ignore[import-untyped]
from pymongo.database import Database

from segue import store
from segue.activity import (
    COUNTS,
    N_SHARES,
    SHARES,
    Cells,
    Kind,
    Level,
    code_of,
    documents,
)
from segue.packed import Packed
from segue.sketches import sketch_of
from segue.store import Document

ACTIONS = ("started", "completed", "skipped", "progressed")
ODDS = (0.4, 0.3, 0.2, 0.1)
_COLUMN_OF = {
    "started": "n_started",
    "completed": "n_completed",
    "skipped": "n_skipped",
    "progressed": "n_left",
}


@dataclass(frozen=True)
class Library:
    """Of each track its artist and styles; `gone` is in no catalogue."""

    artist_of: Mapping[str, str]
    styles_of: Mapping[str, Sequence[str]]
    duration_ms: int = 200_000


def library(n_tracks: int) -> Library:
    tracks = [f"t{n}" for n in range(n_tracks)]
    return Library(
        {track: f"a{n // 3}" for n, track in enumerate(tracks)},
        {track: [f"s{n % 4}", "s9"][: 1 + n % 2] for n, track in enumerate(tracks)},
    )


def simulated(
    now: datetime, length: timedelta, n: int, tracks: Sequence[str], seed: int = 5
) -> pd.DataFrame:
    """Return events of plays that end at `now`, oldest first."""
    rng = np.random.default_rng(seed)
    ago_s = np.sort(rng.uniform(0, length.total_seconds(), n))[::-1]
    share = rng.beta(0.6, 0.5, n)
    return pd.DataFrame(
        {
            "at": [now - timedelta(seconds=float(each)) for each in ago_s],
            "user_id": [f"u{each}" for each in rng.integers(40, size=n)],
            "track_id": [tracks[each] for each in rng.zipf(1.6, n) % len(tracks)],
            "action": rng.choice(ACTIONS, n, p=ODDS),
            "surface": rng.choice(["home", "search", "none"], n),
            "share": share,
            "played_ms": (share * 200_000).astype(int),
        }
    )


def write(
    database: Database[Document], events: pd.DataFrame, shelf: Library, now: datetime
) -> None:
    """Write all spans of all levels, as they would be kept at `now`."""
    kept = {
        Level.MINUTE: now - timedelta(days=2),
        Level.HOUR: now - timedelta(days=90),
    }
    stamp = {"updated_at": datetime.now(now.tzinfo)}
    for level in Level:
        starts = events["at"].map(level.start_of)
        store.upsert(
            database,
            store.ACTIVITY,
            (
                document
                for start, some in events.groupby(starts)
                if start >= kept.get(level, start)
                for kind, keys_of in _keys(shelf).items()
                for document in documents(
                    level, start.to_pydatetime(), kind, cells_from(some, keys_of), stamp
                )
            ),
        )


def cells_from(events: pd.DataFrame, keys_of: Callable[[Any], Iterable[str]]) -> Cells:
    """Count events one by one."""
    counts: dict[str, dict[str, Any]] = defaultdict(_nothing)
    for event in events.itertuples():
        for key in keys_of(event):
            _count(counts[key], event)
    keys = sorted(counts, key=code_of)
    return Cells(
        np.array([code_of(key) for key in keys], np.int64),
        {
            name: np.array([counts[key][name] for key in keys], np.int64).reshape(
                (len(keys), N_SHARES) if name in SHARES else (len(keys),)
            )
            for name in (*COUNTS, *SHARES)
        },
        Packed.of(key.encode() for key in keys),
        Packed.of(sketch_of(counts[key]["who"]) for key in keys),
    )


def _nothing() -> dict[str, Any]:
    return {
        **dict.fromkeys(COUNTS, 0),
        **{name: [0] * N_SHARES for name in SHARES},
        "who": set(),
    }


def _count(found: dict[str, Any], event: Any) -> None:
    found["who"].add(event.user_id)
    found[_COLUMN_OF[event.action]] += 1
    if event.action == "started":
        return
    found["heard_ms"] += event.played_ms
    place = min(N_SHARES - 1, int(event.share * N_SHARES))
    found["ended_at"][place] += 1
    if event.action == "skipped":
        found["skipped_at"][place] += 1


def _keys(shelf: Library) -> dict[Kind, Callable[[Any], Iterable[str]]]:
    def artists(event: Any) -> Iterator[str]:
        if event.track_id in shelf.artist_of:
            yield shelf.artist_of[event.track_id]

    return {
        Kind.ALL: lambda _: [""],
        Kind.SURFACE: lambda event: [event.surface],
        Kind.ARTIST: artists,
        Kind.STYLE: lambda event: shelf.styles_of.get(event.track_id, ()),
        Kind.TRACK: lambda event: [event.track_id],
    }
