"""From an event's time until a list that reflects it is in MongoDB."""

import statistics
import sys
import threading
import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any, Final

import numpy as np
from pymongo.database import Database
from tqdm import tqdm

from benches.stack import Stack, stack, write_index
from segue import store
from segue.clock import system_clock
from segue.errors import StreamError
from segue.events import Action, PlaybackEvent
from streaming.producer import Producer

_WARM_UP_S: Final = 40
_DURATION_MS: Final = 200_000
_POLL_MS: Final = 100
_SHARE_HEARD_OUT: Final = 0.7


def measure_latency(
    rate: float, seconds: int, n_listeners: int, n_tracks: int
) -> dict[str, Any]:
    """Return percentiles of the latency after warm-up, and where a batch's time goes.

    Parameters
    ----------
    rate : float
        Events a second, of `n_listeners` together.
    """
    rng = np.random.default_rng(6)
    with stack() as running:
        index = write_index(running.settings.home, n_tracks, rng)
        running.start_stream()
        with _Watcher(running.database) as watcher:
            sender = _Sender(running, index.track_ids, n_listeners, rng)
            sender.send(rate, _WARM_UP_S, "warm-up")
            running.wait_for("first list", 90, lambda: bool(watcher.n_seen))
            sender.send(rate, _WARM_UP_S, "warm-up")
            sender.sent.clear()
            phases = _Phases(running.database)
            sender.send(rate, seconds, "latency", phases)
            running.wait_for("last list", 90, lambda: watcher.has_seen(sender.sent))
            waits_ms = watcher.waits_ms(sender.sent)
    return {
        "latency_ms": _percentiles(waits_ms),
        "latency_p50_ms_by_minute": _by_minute(waits_ms, rate),
        "latency_events": len(waits_ms),
        "latency_events_per_s": rate,
        "latency_listeners": n_listeners,
        "latency_tracks": n_tracks,
        **phases.answer(),
    }


class _Sender:
    """Sends events at a rate, each with the time at which it is sent."""

    def __init__(
        self,
        running: Stack,
        track_ids: Sequence[str],
        n_listeners: int,
        rng: np.random.Generator,
    ) -> None:
        self.sent: list[tuple[str, datetime]] = []
        self._settings, self._rng = running.settings, rng
        self._track_ids, self._n_listeners = track_ids, n_listeners
        self._number = 0

    def send(
        self, rate: float, seconds: int, name: str, phases: "_Phases | None" = None
    ) -> None:
        """Send for so many seconds."""
        n, start = int(rate * seconds), time.monotonic()
        folder = self._settings.home / "spool"
        with Producer(self._settings.kafka, folder) as producer:
            for number in tqdm(range(n), name, file=sys.stderr, mininterval=5):
                time.sleep(max(0.0, start + number / rate - time.monotonic()))
                event = self._event()
                producer.send(event)
                self.sent.append((event.user_id, event.event_time))
                if phases is not None and number % max(1, int(rate / 5)) == 0:
                    phases.look()
            producer.flush()

    def _event(self) -> PlaybackEvent:
        self._number += 1
        is_end = self._rng.random() < _SHARE_HEARD_OUT
        action = Action.COMPLETED if is_end else Action.SKIPPED
        heard_ms = _DURATION_MS if is_end else int(self._rng.integers(60_000))
        now = system_clock()
        return PlaybackEvent(
            event_id=f"e{self._number:012d}",
            user_id=f"listener-{self._rng.integers(self._n_listeners):05d}",
            track_id=self._track_ids[int(self._rng.integers(len(self._track_ids)))],
            session_id="session",
            play_id=f"p{self._number:012d}",
            action=action,
            event_time=now.replace(microsecond=now.microsecond // 1000 * 1000),
            played_ms=heard_ms,
            duration_ms=_DURATION_MS,
            position_ms=heard_ms,
            source={"surface": "radio", "list_id": "home", "rank": 3},
        )


class _Watcher(threading.Thread):
    """Notes when MongoDB tells of each list."""

    def __init__(self, database: Database[store.Document]) -> None:
        super().__init__(daemon=True)
        self._lists = database[store.RECOMMENDATIONS]
        self._seen: dict[str, list[tuple[datetime, datetime]]] = defaultdict(list)
        self._ended = threading.Event()
        self.n_seen = 0

    def __enter__(self) -> "_Watcher":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self.join()

    def run(self) -> None:
        """Watch until the measurement ends."""
        fields = {"documentKey": 1, "fullDocument.newest_event_at": 1}
        with self._lists.watch(
            [{"$project": fields}], max_await_time_ms=_POLL_MS
        ) as changes:
            while not self._ended.is_set():
                change = changes.try_next()
                if change is not None and "fullDocument" in change:
                    newest_at = change["fullDocument"]["newest_event_at"]
                    user_id = change["documentKey"]["_id"]
                    self._seen[user_id].append((newest_at, system_clock()))
                    self.n_seen += 1

    def has_seen(self, sent: Sequence[tuple[str, datetime]]) -> bool:
        """Say whether every event has come into a list."""
        newest = dict(sent)
        return all(
            (seen := self._seen[user_id]) and seen[-1][0] >= sent_at
            for user_id, sent_at in newest.items()
        )

    def waits_ms(self, sent: Sequence[tuple[str, datetime]]) -> list[float]:
        """Return how long the list took, for each `(user_id, event_time)`.

        Raises
        ------
        StreamError
            When an event never came into a list.
        """
        waits = []
        for user_id, sent_at in sent:
            seen = self._seen[user_id]
            first = bisect_left(seen, sent_at, key=itemgetter(0))
            if first == len(seen):
                raise StreamError(f"no list of {user_id} reflects {sent_at}")
            waits.append((seen[first][1] - sent_at).total_seconds() * 1000)
        return waits


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
    return {"n_batches": len(batches), "n_input_rows": rows, **medians}


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
