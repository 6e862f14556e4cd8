"""What one event costs a worker, by how many listeners and tracks there are.

The workers' step itself, panes in and documents in MongoDB, in this process: batches of
500 events of 250 listeners, out of so many that have panes, tastes and lists stored.
"""

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from benches.plot import cost_plot
from benches.stack import Stack, stack, write_index
from models.listens import Entry
from segue import indexes, store
from segue.clock import system_clock
from segue.events import Action
from segue.track_index import TrackIndex
from streaming.panes import Pane
from streaming.updating import bring_up_to_date

_START: Final = datetime(2026, 5, 3, 22, 10, tzinfo=UTC)
_N_ACTIVE: Final = 250
_EVENTS_EACH: Final = 2
_PANE_ENTRIES: Final = 10
_BATCHES: Final = 8
_AT_ONCE: Final = 1_000
_PER_LISTENER: Final = (
    *(store.TASTE_WINDOWS, store.TASTE_PAST, store.TASTES, store.RECOMMENDATIONS),
)
_TRACKS: Final = 10_000
_LISTENERS: Final = 1_000


def measure_growth(most_listeners: int, most_tracks: int) -> dict[str, Any]:
    """Return `growth`: milliseconds an event, for sizes a factor of ten apart."""
    points = [(n, _TRACKS) for n in _tenfold(_LISTENERS, most_listeners)]
    points += [(_LISTENERS, n) for n in _tenfold(_LISTENERS, most_tracks)]
    growth = []
    for n_listeners, n_tracks in tqdm(points, "growth", file=sys.stderr):
        ms = _ms_per_event(n_listeners, n_tracks)
        sizes = {"listeners": n_listeners, "tracks": n_tracks}
        growth.append(sizes | {"ms_per_event": round(ms, 3)})
    return {"growth": growth}


def growth_plot(growth: Sequence[Mapping[str, Any]]) -> str:
    """Return an SVG: the time of 1,000 events, by listeners and by tracks."""
    # a thousand listeners with ten thousand tracks were measured for each line
    first_of_each = [p for p in reversed(growth) if p["tracks"] == _TRACKS]
    last_of_each = [p for p in growth if p["listeners"] == _LISTENERS]
    by = {
        "listeners": {p["listeners"]: p["ms_per_event"] for p in first_of_each},
        "tracks": {p["tracks"]: p["ms_per_event"] for p in last_of_each},
    }
    # both begin with a thousand, and each next one is ten times as many
    sizes = sorted({size for each in by.values() for size in each})
    costs = {f"by {name}": [each[n] for n in sorted(each)] for name, each in by.items()}
    return cost_plot(sizes, costs, "listeners or tracks, for 1,000 events")


def _tenfold(first: int, last: int) -> Iterator[int]:
    while first <= last:
        yield first
        first *= 10


def _ms_per_event(n_listeners: int, n_tracks: int) -> float:
    rng = np.random.default_rng(9)
    with stack() as running, threadpool_limits(1):
        indexes.prepare(running.database)
        index = write_index(running.settings.home, n_tracks, rng)
        _fill(running, index, n_listeners, rng)
        times = []
        for number in range(_BATCHES):
            active = rng.choice(n_listeners, _N_ACTIVE, replace=False)
            panes = {
                _name(n): [_pane(n, 1, _EVENTS_EACH * (number + 1), index)]
                for n in active.tolist()
            }
            start = time.perf_counter()
            _update(running, panes, index)
            times.append(time.perf_counter() - start)
        # the first batch meets a cold cache
        return min(times[1:]) * 1000 / (_N_ACTIVE * _EVENTS_EACH)


def _fill(
    running: Stack, index: TrackIndex, n_listeners: int, rng: np.random.Generator
) -> None:
    """Store a pane, taste and list for everybody: some are made, the others copied."""
    made = [_name(n) for n in range(_N_ACTIVE)]
    first = {name: [_pane(n, 0, _PANE_ENTRIES, index)] for n, name in enumerate(made)}
    _update(running, first, index)
    for name in _PER_LISTENER:
        collection = running.database[name]
        models = list(collection.find())
        for start in range(_N_ACTIVE, n_listeners, _AT_ONCE):
            numbers = range(start, min(start + _AT_ONCE, n_listeners))
            collection.insert_many(
                [_copied(models[n % len(models)], _name(n)) for n in numbers],
                ordered=False,
            )


def _copied(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return a document as another listener would have it."""
    _, *rest = str(document["_id"]).split("|")
    copy = {**document, "_id": "|".join([name, *rest])}
    return copy | ({"user_id": name} if "user_id" in document else {})


def _update(running: Stack, panes: Mapping[str, list[Pane]], index: TrackIndex) -> None:
    bring_up_to_date(running.database, panes, index, running.settings, system_clock)


def _name(number: int) -> str:
    return f"listener-{number:07d}"


def _pane(listener: int, number: int, n_entries: int, index: TrackIndex) -> Pane:
    start, rng = (
        _START + timedelta(seconds=300 * number),
        np.random.default_rng(listener),
    )
    rows = rng.integers(len(index.track_ids), size=n_entries).tolist()
    entries = [
        Entry(
            f"e{number}-{place}",
            Action.COMPLETED if place % 3 else Action.SKIPPED,
            index.track_ids[row],
            f"p{number}-{place}",
            20_000,
            200_000,
            start + timedelta(seconds=place),
        )
        for place, row in enumerate(rows)
    ]
    return Pane(start, 300, entries, [])
