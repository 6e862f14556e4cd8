"""Lists that were shown and plays of their rows, as the real writers write them."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby
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
    midnight,
    named,
    notes_of,
    seen_before,
    writes_of,
)
from segue.sketches import sketch_of

PARTS = ("now", "seeds", "neighbours", "none")
ENDS = (None, "closed", "", 7)
ACTIONS = ("started", "completed", "skipped", "progressed")


def show(database: Database[store.Document], *lists: ShownList) -> None:
    """Note lists as shown, one after the other."""
    for each in lists:
        _show(database, [each])


def show_by_date(
    database: Database[store.Document], lists: Sequence[ShownList]
) -> None:
    """Note many lists, which are in order of time, as shown: those of a date at once.

    What is fresh depends on the dates before alone, so it is the same.
    """
    for _, some in groupby(lists, lambda each: midnight(each.shown_at)):
        _show(database, [*some])


def _show(database: Database[store.Document], lists: Sequence[ShownList]) -> None:
    found = [*database[store.SHOWN_DAYS].aggregate(seen_before(lists))]
    for place, requests in writes_of(lists, found):
        database[place].bulk_write(requests)
    hours = hours_of(database[store.SHOWN_LISTS].find(named(lists)))
    due_at = max(each.shown_at for each in lists)
    database[store.SERVED_DUE].bulk_write(notes_of(hours, due_at))


def some_lists(
    rng: np.random.Generator,
    n: int,
    end: datetime,
    within: timedelta,
    tracks: Sequence[str],
    n_listeners: int = 6,
) -> list[ShownList]:
    """Return lists of several listeners, surfaces and models, by time."""
    ago = np.sort(rng.random(n))[::-1]
    return [
        ShownList(
            user := f"u{rng.integers(n_listeners)}",
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
    n = min(n, len(tracks))
    chosen = rng.choice(len(tracks), n, replace=False).tolist()
    parts = rng.integers(len(PARTS), size=n).tolist()
    by_lot = (rng.random(n) < 0.1).tolist()
    return [
        ShownRow(tracks[row], rank, PARTS[part], explored=explored)
        for rank, (row, part, explored) in enumerate(
            zip(chosen, parts, by_lot, strict=True), start=1
        )
    ]


def some_events(
    rng: np.random.Generator, lists: Sequence[ShownList], n: int, first: int = 0
) -> list[dict[str, Any]]:
    """Return events of plays: in these lists, in others, and in none."""
    of = rng.integers(len(lists), size=n).tolist()
    draws = rng.random((n, 8)).tolist()
    return [
        _event(lists[place], draw, first + number)
        for number, (place, draw) in enumerate(zip(of, draws, strict=True))
    ]


def _event(shown: ShownList, draws: Sequence[float], number: int) -> dict[str, Any]:
    """Return one event, as eight numbers in [0, 1) want it."""
    which, odd, end, where, who, does, late, heard = draws
    row = shown.rows[int(which * len(shown.rows))]
    source: dict[str, Any] = {"surface": shown.surface, "list_id": shown.list_id}
    if odd < 0.05:
        source["list_id"] = "nobody@1"
    elif odd < 0.1:
        source["list_id"] = int(odd * 1_000) % 9
    elif odd < 0.15:
        source = {"surface": "home", "title": '"list_id":"ada@1"'}
    source["end"] = ENDS[int(end * len(ENDS))]
    return {
        "event_id": f"e{number}",
        "user_id": shown.user_id if who < 0.97 else "mallory",
        # a track of another list, now and then
        "track_id": row.track_id if where < 0.95 else "elsewhere",
        "play_id": f"p{number // 2}",
        "session_id": f"s{number // 20}",
        "action": ACTIONS[int(does * len(ACTIONS))],
        "event_time": shown.shown_at + timedelta(minutes=late * 90),
        "played_ms": int(heard * 60_000),
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
