"""Lists that were shown and plays of their rows, as the real writers write them."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
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
from segue.shown import (
    ShownList,
    ShownRow,
    hours_of,
    named,
    notes_of,
    seen_before,
    writes_of,
)
from segue.sketches import sketch_of

PARTS = ("now", "seeds", "neighbours", "none")
ACTIONS = ("started", "completed", "skipped", "progressed")


def show(database: Database[store.Document], *lists: ShownList) -> None:
    """Note lists as shown, one after the other."""
    for each in lists:
        found = [*database[store.SHOWN_DAYS].aggregate(seen_before([each]))]
        for place, requests in writes_of([each], found):
            database[place].bulk_write(requests)
        hours = hours_of(database[store.SHOWN_LISTS].find(named([each])))
        database[store.SERVED_DUE].bulk_write(notes_of(hours, each.shown_at))


def some_lists(
    rng: np.random.Generator,
    n: int,
    end: datetime,
    within: timedelta,
    tracks: Sequence[str],
) -> list[ShownList]:
    """Return lists of several listeners, surfaces and models, by time."""
    ago = np.sort(rng.random(n))[::-1]
    return [
        ShownList(
            user := f"u{rng.integers(6)}",
            f"{user}@{number}",
            str(rng.choice(["player", "radio"])),
            [None, "m1", "m2"][int(rng.integers(3))],
            _rows(rng, tracks),
            end - float(share) * within,
        )
        for number, share in enumerate(ago)
    ]


def _rows(rng: np.random.Generator, tracks: Sequence[str]) -> list[ShownRow]:
    # now and then more than are counted by rank
    n = 60 if rng.random() < 0.1 else int(rng.integers(1, 12))
    chosen = rng.choice(len(tracks), min(n, len(tracks)), replace=False)
    return [
        ShownRow(
            tracks[row], rank, str(rng.choice(PARTS)), explored=bool(rng.random() < 0.1)
        )
        for rank, row in enumerate(chosen, start=1)
    ]


def some_events(
    rng: np.random.Generator, lists: Sequence[ShownList], n: int, first: int = 0
) -> list[dict[str, Any]]:
    """Return events of plays: in these lists, in others, and in none."""
    return [_event(rng, lists, first + number) for number in range(n)]


def _event(
    rng: np.random.Generator, lists: Sequence[ShownList], number: int
) -> dict[str, Any]:
    shown = lists[int(rng.integers(len(lists)))]
    row = shown.rows[int(rng.integers(len(shown.rows)))]
    source: dict[str, Any] = {"surface": shown.surface, "list_id": shown.list_id}
    odd = rng.random()
    if odd < 0.05:
        source["list_id"] = "nobody@1"
    elif odd < 0.1:
        source["list_id"] = int(rng.integers(9))
    elif odd < 0.15:
        source = {"surface": "home", "title": '"list_id":"ada@1"'}
    ends = [None, "closed", "", 7]
    source["end"] = ends[int(rng.integers(4))]
    # a track of another list, now and then
    track_id = row.track_id if rng.random() < 0.95 else "elsewhere"
    return {
        "event_id": f"e{number}",
        "user_id": shown.user_id if rng.random() < 0.97 else "mallory",
        "track_id": track_id,
        "play_id": f"p{number // 2}",
        "session_id": f"s{number // 20}",
        "action": str(rng.choice(ACTIONS)),
        "event_time": shown.shown_at + timedelta(minutes=float(rng.random()) * 90),
        "played_ms": int(rng.integers(60_000)),
        "duration_ms": 60_000,
        "scope": None,
        "source": json.dumps(source, separators=(",", ":")),
    }


def write_plays(
    database: Database[store.Document], plays: dict[datetime, dict[str, int]]
) -> None:
    """Write days of `activity`: of each midnight, how often each track was played."""
    for day, counts in plays.items():
        keys = sorted(counts, key=code_of)
        n = np.array([counts[key] for key in keys], np.int64)
        columns = {name: np.zeros(len(keys), np.int64) for name in COUNTS}
        columns |= {name: np.zeros((len(keys), N_SHARES), np.int64) for name in SHARES}
        columns["n_skipped"] = n // 3
        columns["n_completed"] = n - n // 3
        cells = Cells(
            np.array([code_of(key) for key in keys], np.int64),
            columns,
            Packed.of(key.encode() for key in keys),
            Packed.of(sketch_of(["u1"]) for _ in keys),
        )
        stamp = {"updated_at": day}
        found = documents(Level.DAY, day, Kind.TRACK, cells, stamp)
        store.upsert(database, store.ACTIVITY, found)
