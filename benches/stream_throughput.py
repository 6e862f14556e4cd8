"""How fast a backlog is taken in, beside what Spark does with the same messages."""

import subprocess
import sys
import time
from collections import defaultdict
from contextlib import closing, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
import psutil
from kafka import KafkaConsumer, TopicPartition
from tqdm import tqdm

from benches.stack import Stack, stack, write_index
from segue import store
from segue.clock import system_clock
from segue.events import Action, PlaybackEvent
from segue.submit import prepare_job
from streaming.panes import COUNTS
from streaming.producer import Producer

# younger than the watermark when the last of them are sent
_SPAN_S: Final = 300
_LIMIT_S: Final = 3_600.0
_DURATION_MS: Final = 200_000


def measure_throughput(
    n_events: int, n_listeners: int, n_tracks: int
) -> dict[str, Any]:
    """Return the rates of reading, of parsing and of the whole job, a second."""
    rng = np.random.default_rng(7)
    with stack() as running:
        index = write_index(running.settings.home, n_tracks, rng)
        fill(running, n_events, n_listeners, index.track_ids, rng)
        rates = _references(running, n_events)
        before_s = _cpu_s(running)
        rates["pipeline_per_s"] = _pipeline(running, n_events)
        after_s = _cpu_s(running)
    cpu_s = {k: round(after_s[k] - before_s.get(k, 0.0), 1) for k in after_s}
    return {
        **{name: round(rate) for name, rate in rates.items()},
        "pipeline_cpu_s": cpu_s,
        "pipeline_over_parse": round(rates["pipeline_per_s"] / rates["parse_per_s"], 3),
        "throughput_events": n_events,
        "throughput_listeners": n_listeners,
        "throughput_tracks": n_tracks,
    }


def fill(
    running: Stack,
    n_events: int,
    n_listeners: int,
    track_ids: list[str],
    rng: np.random.Generator,
) -> None:
    """Send the backlog: `n_events`, whose times are the last minutes in order."""
    start = system_clock() - timedelta(seconds=_SPAN_S)
    listeners = rng.integers(n_listeners, size=n_events)
    tracks = rng.integers(len(track_ids), size=n_events)
    heard_ms = rng.integers(_DURATION_MS, size=n_events)
    with Producer(running.settings.kafka, running.settings.home / "spool") as producer:
        for number in tqdm(range(n_events), "backlog", file=sys.stderr, mininterval=5):
            is_end = heard_ms[number] > _DURATION_MS // 3
            at = start + timedelta(milliseconds=int(_SPAN_S * 1000 * number / n_events))
            producer.send(
                PlaybackEvent(
                    event_id=f"e{number:012d}",
                    user_id=f"listener-{listeners[number]:06d}",
                    track_id=track_ids[tracks[number]],
                    session_id=f"session-{listeners[number]:06d}",
                    play_id=f"p{number:012d}",
                    action=Action.COMPLETED if is_end else Action.SKIPPED,
                    event_time=at.replace(microsecond=at.microsecond // 1000 * 1000),
                    played_ms=int(heard_ms[number]),
                    duration_ms=_DURATION_MS,
                    position_ms=int(heard_ms[number]),
                    source={"surface": "radio", "list_id": "home", "rank": 3},
                )
            )
        producer.flush()


def _references(running: Stack, n_events: int) -> dict[str, float]:
    """Return what Spark alone does with the same topic, by a job of its own."""
    argv, env = prepare_job(running.settings, "stream", [], lambda _: None)
    program = Path(__file__).with_name("stream_references.py")
    argv = [*argv[:-1], str(program), str(n_events)]
    done = subprocess.run(argv, env=env, capture_output=True, text=True, check=True)  # noqa: S603
    rates = dict(line.split("=") for line in done.stdout.split() if "_per_s=" in line)
    return {name: float(rate) for name, rate in rates.items()}


def _pipeline(running: Stack, n_events: int) -> float:
    """Return the rate from the first micro-batch until all is accounted for."""
    running.start_stream()
    progress = running.database[store.STREAM_PROGRESS]
    running.wait_for("query", 120, lambda: progress.count_documents({}) > 0)
    start = time.monotonic()
    n_sent = _n_in_kafka(running)
    with tqdm(total=n_sent, desc="taken in", file=sys.stderr, mininterval=5) as bar:

        def is_done() -> bool:
            time.sleep(0.5)
            n_counted = _n_counted(running)
            bar.update(n_counted - bar.n)
            # to look through all panes takes long: only when the rest is done
            return (
                n_counted >= n_sent
                and not is_due(running)
                and n_in_panes(running) >= n_sent
                and not is_due(running)
            )

        running.wait_for("end of the backlog", _LIMIT_S, is_done)
    return n_events / (time.monotonic() - start)


def is_due(running: Stack) -> bool:
    """Whether a list is still to follow."""
    return running.database[store.LISTS_DUE].find_one() is not None


def _cpu_s(running: Stack) -> dict[str, float]:
    """Return what each part has taken of the cores; of processes that are there."""
    taken: dict[str, float] = defaultdict(float)
    for role, processes in running.processes().items():
        for each in processes:
            with suppress(psutil.Error):  # helpers come and go
                taken[role] += sum(each.cpu_times()[:2])
    return dict(taken)


def _n_in_kafka(running: Stack) -> int:
    ours = running.settings.kafka
    with closing(KafkaConsumer(bootstrap_servers=ours.bootstrap)) as reader:
        parts = [TopicPartition(ours.events_topic, n) for n in range(ours.partitions)]
        return sum(reader.end_offsets(parts).values())


def n_in_panes(running: Stack) -> int:
    """Return for how many messages the panes account."""
    total = {"$sum": [f"${name}" for name in COUNTS]}
    group = {"$group": {"_id": None, "n": {"$sum": total}}}
    found = list(running.database[store.TASTE_WINDOWS].aggregate([group]))
    return int(found[0]["n"]) if found else 0


def _n_counted(running: Stack) -> int:
    group = {"$group": {"_id": None, "n": {"$sum": "$n_read"}}}
    found = list(running.database[store.REJECTED_COUNTS].aggregate([group]))
    return int(found[0]["n"]) if found else 0
