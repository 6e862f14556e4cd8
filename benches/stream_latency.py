"""From an event's time until a list that reflects it is in MongoDB."""

import statistics
import time
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from pymongo.database import Database

from benches.live_load import Sender, Watcher
from benches.stack import Stack, stack, write_index
from benches.stream_throughput import fill, is_due, n_in_panes
from segue import store

_WARM_UP_S: Final = 60
_LOOPS: Final = 1_000_000


def measure_latency(
    rate: float, seconds: int, n_listeners: int, n_tracks: int, n_before: int
) -> dict[str, Any]:
    """Return percentiles of the latency after warm-up, and where a batch's time goes.

    The machine's speed goes with it: a shared one is not the same on two days.

    Parameters
    ----------
    rate : float
        Events a second, of `n_listeners` together.
    n_before : int
        Events of as many other listeners, just before: their panes are open.
    """
    rng = np.random.default_rng(6)
    reference_ms = _loops_ms()
    with stack() as running:
        index = write_index(running.settings.home, n_tracks, rng)
        running.start_stream()
        if n_before:
            _open_panes(running, n_before, index.track_ids, rng)
        with Watcher(running.database) as watcher:
            sender = Sender(running.settings, index.track_ids, n_listeners, rng)
            sender.send(rate, _WARM_UP_S, "warm-up")
            running.wait_for("first list", 90, lambda: bool(watcher.n_seen))
            sender.send(rate, _WARM_UP_S, "warm-up")
            sender.sent.clear()
            phases = _Phases(running.database)
            every = max(1, int(rate / 5))
            sender.send(
                rate, seconds, "latency", lambda n: None if n % every else phases.look()
            )
            running.wait_for("last list", 90, lambda: watcher.has_seen(sender.sent))
            waits_ms = watcher.waits_ms(sender.sent)
    reference_ms = min(reference_ms, _loops_ms())
    median_ms = statistics.median(waits_ms)
    return {
        "latency_ms": _percentiles(waits_ms),
        "reference_ms": round(reference_ms, 1),
        "latency_p50_over_reference": round(median_ms / reference_ms, 2),
        "latency_p50_ms_by_minute": _by_minute(waits_ms, rate),
        "latency_events": len(waits_ms),
        "latency_events_per_s": rate,
        "latency_listeners": n_listeners,
        "latency_tracks": n_tracks,
        "latency_events_before": n_before,
        **phases.answer(),
    }


def _loops_ms() -> float:
    """Return how fast the machine is today: a million turns of a plain loop."""
    took_ms = []
    for _ in range(5):
        start, total = time.perf_counter(), 0
        for number in range(_LOOPS):
            total += number * number
        took_ms.append((time.perf_counter() - start) * 1000)
    return min(took_ms)


def _open_panes(
    running: Stack, n: int, track_ids: list[str], rng: np.random.Generator
) -> None:
    fill(running, n, n, track_ids, rng)
    running.wait_for("panes", 600, lambda: n_in_panes(running) >= n)
    running.wait_for("lists", 1_200, lambda: not is_due(running))


class _Phases:
    """Where the time of the query's micro-batches goes, as Spark reports it."""

    def __init__(self, database: Database[store.Document]) -> None:
        self._progress = database[store.STREAM_PROGRESS]
        self._batches: dict[str, dict[int, store.Document]] = defaultdict(dict)

    def look(self) -> None:
        """Note the last batch of each query."""
        for each in self._progress.find({"batch_id": {"$exists": True}}):
            self._batches[each["_id"]][each["batch_id"]] = each

    def answer(self) -> dict[str, Any]:
        """Return the median of each phase, by query."""
        return {"phases_ms": {name: _medians(b) for name, b in self._batches.items()}}


def _medians(batches: dict[int, store.Document]) -> dict[str, float]:
    found: dict[str, list[float]] = defaultdict(list)
    for batch in batches.values():
        for name, took_ms in batch["duration_ms"].items():
            found[name].append(took_ms)
    medians = {name: statistics.median(each) for name, each in found.items()}
    rows = statistics.median(batch["n_input_rows"] for batch in batches.values())
    panes = statistics.median(batch["state_rows"] for batch in batches.values())
    counts = {"n_batches": len(batches), "n_input_rows": rows, "state_rows": panes}
    return counts | medians


def _by_minute(waits_ms: Sequence[float], rate: float) -> list[float]:
    a_minute = max(1, int(60 * rate))
    starts = range(0, len(waits_ms), a_minute)
    return [round(statistics.median(waits_ms[i : i + a_minute]), 1) for i in starts]


def _percentiles(waits_ms: Sequence[float]) -> dict[str, float]:
    found = np.percentile(waits_ms, [50, 95, 99, 100])
    return {
        name: round(float(value), 1)
        for name, value in zip(("p50", "p95", "p99", "max"), found, strict=True)
    }
