"""Faults on the real stack: nothing lost or doubled, and how soon it is as before.

Listeners play and skip all the time, one fault after the other happens, and a watcher
times the list that follows each event. Of each fault it is told how long after its end
(the dead service is up again) the last list came that was slower than usual. At the end
panes and archive have to hold each event once, and the counts have to add up.
"""

import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import click
import numpy as np
import psutil

from benches.live_load import Sender, Sent, Watcher
from benches.stack import Stack, create_bench_index, say, stack
from segue import store
from segue.clock import system_clock
from segue.services import kafka, mongo, process
from segue.services.java import find_java
from segue.track_index import TrackIndex, create_track_index, write_track_index
from soaks.events import accounted, read_ledger
from streaming.archive import read_archive

_OUTAGE_S: Final = 20
_SLOW_MS: Final = 300
_RATE: Final = 50.0
_N_LISTENERS: Final = 250
_N_TRACKS: Final = 5_000
_USUAL_S: Final = 30
_BETWEEN_S: Final = 45
_USUAL_FACTOR: Final = 2.0
# what is sent just before the next fault may wait for that one
_LOOK_S: Final = 30


@click.command(help=__doc__)
@click.option("--only", multiple=True, help="Not all; by name.")
@click.option("--json", "out", type=click.File("w"), default="-", help="Where to.")
def main(only: tuple[str, ...], out: Any) -> None:
    """Run the campaign; see the module."""
    with stack() as running:
        answer = Faults(running).run(only)
    json.dump(answer, out, indent=1)
    out.write("\n")
    if answer["violations"]:
        raise SystemExit(1)


class Faults:
    """The faults of one stack, under load."""

    def __init__(self, running: Stack) -> None:
        self._stack, self._home = running, running.settings.home
        rng = np.random.default_rng(11)
        self._index = create_bench_index(_N_TRACKS, rng)
        write_track_index(self._home / "index", self._index)
        ids = self._index.track_ids
        self._sender = Sender(running.settings, ids, _N_LISTENERS, rng)
        self._rate, self._is_over = _RATE, threading.Event()

    def run(self, only: Sequence[str]) -> dict[str, Any]:
        """Let each fault happen, and return what was seen."""
        faults: dict[str, Callable[[], None]] = {
            "worker killed": self._kill_worker,
            "driver killed": self._kill_driver,
            "broker away": self._broker_away,
            "mongod away": self._mongod_away,
            "mongod slow": self._mongod_slow,
            "table grows": self._grow,
            "load tenfold": self._tenfold,
        }
        chosen = {k: v for k, v in faults.items() if not only or k in only}
        self._stack.start_stream()
        sending = threading.Thread(target=self._send_on, daemon=True)
        with Watcher(self._stack.database) as watcher:
            sending.start()
            self._wait(lambda: bool(watcher.n_seen), 120)
            time.sleep(_BETWEEN_S)
            spans = {"usual": self._span(lambda: time.sleep(_USUAL_S))}
            for name, fault in chosen.items():
                say(f"{name} …")
                spans[name] = self._span(fault)
                self._keep_stream()
                time.sleep(_BETWEEN_S)
            self._is_over.set()
            sending.join()
            self._wait(lambda: watcher.has_seen(self._sender.sent), 300)
            waits_ms = watcher.waits_ms(self._sender.sent)
        return self._answer(spans, waits_ms)

    def _send_on(self) -> None:
        while not self._is_over.is_set():
            self._sender.send(self._rate, 5, "load")

    def _span(self, fault: Callable[[], None]) -> tuple[datetime, datetime]:
        start = system_clock()
        fault()
        return start, system_clock()

    def _wait(self, look: Callable[[], bool], limit_s: float) -> None:
        deadline = time.monotonic() + limit_s
        while not look() and time.monotonic() < deadline:
            self._keep_stream()
            time.sleep(0.2)

    def _keep_stream(self) -> None:
        child = process.find(self._home, "stream")
        if child is None or not child.is_running:
            said = "" if child is None else process.log_tail(child)
            say(f"the stream ended and is started again:\n{said}")
            self._stack.start_stream()

    def _kill_worker(self) -> None:
        say(f"killed {self._stack.kill_workers()} workers")

    def _kill_driver(self) -> None:
        process.kill(self._home, "stream")
        self._stack.start_stream()

    def _broker_away(self) -> None:
        process.kill(self._home, kafka.NAME)
        time.sleep(_OUTAGE_S)
        ours = self._stack.settings
        port = int((ours.kafka.bootstrap or "").rpartition(":")[2])
        java = find_java(ours.spark.java_home)
        kafka.wait(kafka.launch(self._home, port, java))

    def _mongod_away(self) -> None:
        child = process.find(self._home, mongo.NAME)
        process.kill(self._home, mongo.NAME)
        time.sleep(_OUTAGE_S)
        port = next(iter(child.ports.values())) if child else 0
        mongo.wait(mongo.launch(self._home, port))

    def _mongod_slow(self) -> None:
        """Let mongod stand still most of the time."""
        child = process.find(self._home, mongo.NAME)
        mongod = psutil.Process(child.pid if child else 0)
        deadline = time.monotonic() + _OUTAGE_S
        while time.monotonic() < deadline:
            mongod.suspend()
            time.sleep(_SLOW_MS / 1000)
            mongod.resume()
            time.sleep(_SLOW_MS / 3000)

    def _grow(self) -> None:
        """Add tracks to the index, every few seconds."""
        for number in range(1, 6):
            write_track_index(self._home / "index", _grown(self._index, number))
            time.sleep(_OUTAGE_S / 5)

    def _tenfold(self) -> None:
        self._rate = 10 * _RATE
        time.sleep(60)
        self._rate = _RATE

    def _answer(
        self, spans: dict[str, tuple[datetime, datetime]], waits_ms: list[float]
    ) -> dict[str, Any]:
        sent = self._sender.sent
        usual = _waits_within(sent, waits_ms, spans.pop("usual"))
        limit_ms = _USUAL_FACTOR * float(np.percentile(usual, 99))
        faults = {
            name: {
                "fault_s": round((end - start).total_seconds(), 1),
                "slowest_s": round(_slowest(sent, waits_ms, start, end) / 1000, 1),
                "back_after_s": _back_after_s(sent, waits_ms, start, end, limit_ms),
            }
            for name, (start, end) in spans.items()
        }
        return {
            "usual_ms": dict(
                zip(("p50", "p99"), np.percentile(usual, [50, 99]).round(), strict=True)
            ),
            "slower_than_usual_ms": round(limit_ms),
            "faults": faults,
            "n_events": len(sent),
            "violations": self._violations({each.event_id for each in sent}),
        }

    def _violations(self, wanted: set[str]) -> list[str]:
        database = self._stack.database
        self._wait(lambda: read_ledger(database)["read"] >= len(wanted), 120)
        ledger = read_ledger(database)
        panes = Counter(
            entry["event_id"]
            for pane in database[store.TASTE_WINDOWS].find({}, {"entries.event_id": 1})
            for entry in pane["entries"]
        )
        table = read_archive(self._home).to_table(columns=["event_id"])
        archive = Counter(table["event_id"].to_pylist())
        found = []
        for place, ids in (("panes", panes), ("archive", archive)):
            twice = sum(n > 1 for n in ids.values())
            lost, strange = len(wanted - ids.keys()), len(ids.keys() - wanted)
            if twice or lost or strange:
                found.append(f"{place}: {lost} lost, {twice} twice, {strange} strange")
        n_listens = database[store.LISTENS].count_documents({})
        if n_listens != len(wanted):
            found.append(f"{n_listens} listens of {len(wanted)} plays")
        if ledger["read"] != accounted(ledger):
            found.append(f"the ledger does not add up: {dict(ledger)}")
        return found


def _grown(index: TrackIndex, number: int) -> TrackIndex:
    vectors = np.vstack([index.vectors, index.vectors[: 100 * number]])
    ids = [*index.track_ids, *(f"u{place:07d}" for place in range(100 * number))]
    scales = np.ones(len(ids), dtype=np.float32)
    return create_track_index(f"grown{number}", ids, vectors, scales, index.lineage)


def _waits_within(
    sent: Sequence[Sent], waits_ms: Sequence[float], span: tuple[datetime, datetime]
) -> list[float]:
    start, end = span
    pairs = zip(sent, waits_ms, strict=True)
    return [wait for each, wait in pairs if start <= each.at < end]


def _slowest(
    sent: Sequence[Sent], waits_ms: Sequence[float], start: datetime, end: datetime
) -> float:
    after = end + timedelta(seconds=_LOOK_S)
    return max(_waits_within(sent, waits_ms, (start, after)), default=0.0)


def _back_after_s(
    sent: Sequence[Sent],
    waits_ms: Sequence[float],
    start: datetime,
    end: datetime,
    limit_ms: float,
) -> float:
    """Return how long after `end` the last slow list came, 0 where none did."""
    after = end + timedelta(seconds=_LOOK_S)
    slow = [
        each.at + timedelta(milliseconds=wait)
        for each, wait in zip(sent, waits_ms, strict=True)
        if start - timedelta(seconds=5) <= each.at < after and wait > limit_ms
    ]
    last = max(slow, default=end)
    return round(max(0.0, (last - end).total_seconds()), 1)


if __name__ == "__main__":
    sys.exit(main())
