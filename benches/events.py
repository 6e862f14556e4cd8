"""How many playback events a second go into Kafka, and what a bare client would do.

One process sends the same events of 2,000 listeners, about 340 bytes each, to a local
broker with two partitions: acknowledged by all replicas, idempotent, lz4. `producer`
is ours, from the event object to its acknowledgement, JSON included; `confluent` is
librdkafka's Python client with ready bytes; `perf_test` is Kafka's own
kafka-producer-perf-test with the same messages from a file, without keys. They are
taken in turns, and the median of the rounds counts; `ratio` is ours to confluent's.
"""

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import click
import confluent_kafka
import numpy as np
from tqdm import tqdm

from segue.errors import ServiceError
from segue.events import Action, PlaybackEvent
from segue.services import kafka, process
from segue.services.jars import bundle, resolve_jars
from segue.services.java import find_java
from segue.services.topics import ensure_topics
from segue.settings import Settings, load_settings
from streaming.producer import Producer

_N_LISTENERS: Final = 2_000
_START: Final = datetime(2026, 5, 3, 22, 10, tzinfo=UTC)
_ROOT: Final = Path(__file__).resolve().parent.parent
_PERF_TEST: Final = "org.apache.kafka.tools.ProducerPerformance"
_CLIENT: Final = {
    "acks": "all",
    "enable.idempotence": "true",
    "compression.type": "lz4",
    "linger.ms": "5",
}


@click.command(help=__doc__)
@click.option("--events", "n_events", default=200_000, show_default=True)
@click.option("--rounds", default=3, show_default=True)
@click.option("--json", "out", type=click.File("w"), default="-", help="Where to.")
def main(n_events: int, rounds: int, out: Any) -> None:
    """Measure; see the module."""
    events = create_events(n_events, np.random.default_rng(1))
    with (
        tempfile.TemporaryDirectory(prefix="segue-bench-") as folder,
        broker(Path(folder)) as settings,
    ):
        answer = measure(settings, events, rounds)
    json.dump(answer, out, indent=1)
    out.write("\n")


def measure(
    settings: Settings, events: list[PlaybackEvent], rounds: int
) -> dict[str, Any]:
    """Return the rates of the three ways, in events a second."""
    messages = [(event.user_id.encode(), event.to_json()) for event in events]
    lines = settings.home / "messages"
    lines.write_bytes(b"\n".join(value for _, value in messages))
    ways: dict[str, Callable[[], float]] = {
        "producer": lambda: _ours(settings, events),
        "perf_test": lambda: _perf_test(settings, lines, len(events)),
        "confluent": lambda: _confluent(settings, messages),
    }
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for _ in tqdm(range(rounds), "rounds", file=sys.stderr):
        for name, way in ways.items():
            rates[name].append(way())
    median = {name: statistics.median(each) for name, each in rates.items()}
    return {
        **{f"{name}_per_s": round(rate) for name, rate in median.items()},
        "ratio": round(median["producer"] / median["confluent"], 3),
        "n_events": len(events),
        "message_bytes": round(lines.stat().st_size / len(events)),
        "rounds": {
            name: [round(rate) for rate in each] for name, each in rates.items()
        },
    }


def create_events(n: int, rng: np.random.Generator) -> list[PlaybackEvent]:
    """Return events as a player sends them."""
    actions = [Action.STARTED, Action.PROGRESSED, Action.COMPLETED, Action.SKIPPED]
    listeners = rng.integers(_N_LISTENERS, size=n)
    heard_ms = rng.integers(240_000, size=n)
    return [
        PlaybackEvent(
            event_id=f"{number:032x}",
            user_id=f"listener-{listeners[number]:05d}",
            track_id=f"{heard_ms[number] % 5_000:016x}",
            session_id=f"session-{listeners[number]:05d}",
            play_id=f"play-{number // 4:028x}",
            action=actions[number % 4],
            event_time=_START + timedelta(milliseconds=number),
            played_ms=int(heard_ms[number]),
            duration_ms=240_000,
            position_ms=int(heard_ms[number]),
            source={"surface": "radio", "list_id": "home", "rank": number % 20},
        )
        for number in range(n)
    ]


@contextmanager
def broker(home: Path) -> Iterator[Settings]:
    """Run a broker of its own, on a free port."""
    asked = load_settings(os.environ)
    java = find_java(asked.spark.java_home)
    jars = (_ROOT / "var", java, _say, asked.spark.ivy_settings)
    resolve_jars(*jars, names=("kafka", "tools"))
    (home / "jars").symlink_to(_ROOT / "var" / "jars")
    try:
        address = kafka.wait(kafka.launch(home, 0, java))
        ours = {"home": home, "kafka": {"bootstrap": address, "timeout_ms": 30_000}}
        settings = Settings.model_validate(ours)
        ensure_topics(settings, _say)
        yield settings
    finally:
        for name in process.names(home):
            process.stop(home, name)


def _say(line: str) -> None:
    click.echo(line, err=True)


def _ours(settings: Settings, events: list[PlaybackEvent]) -> float:
    with Producer(settings.kafka, settings.home / "spool") as producer:
        start = time.perf_counter()
        for event in events:
            producer.send(event)
        producer.flush()
        seconds = time.perf_counter() - start
        if producer.n_spooled_bytes:
            raise ServiceError("the broker did not take all events; measure again")
    return len(events) / seconds


def _confluent(settings: Settings, messages: list[tuple[bytes, bytes]]) -> float:
    client = confluent_kafka.Producer(
        {"bootstrap.servers": settings.kafka.bootstrap, **_CLIENT}
    )
    topic, start = settings.kafka.events_topic, time.perf_counter()
    for key, value in messages:
        while True:
            try:
                client.produce(topic, value, key)
            except BufferError:
                client.poll(0.1)
            else:
                break
    client.flush()
    return len(messages) / (time.perf_counter() - start)


def _perf_test(settings: Settings, lines: Path, n: int) -> float:
    java = find_java(load_settings(os.environ).spark.java_home)
    jars = ":".join(map(str, bundle(settings.home, "tools")))
    props = [f"bootstrap.servers={settings.kafka.bootstrap}"]
    props += [f"{key}={value}" for key, value in _CLIENT.items()]
    argv = [str(java), "-cp", jars, _PERF_TEST, "--topic", settings.kafka.events_topic]
    argv += ["--num-records", str(n), "--throughput", "-1"]
    argv += ["--payload-file", str(lines), "--producer-props", *props]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)  # noqa: S603
    found = re.findall(rf"^{n} records sent, ([\d.]+) records/sec", done.stdout, re.M)
    if not found:
        raise ServiceError(f"kafka-producer-perf-test failed: {done.stderr[-800:]}")
    return float(found[-1])


if __name__ == "__main__":
    sys.exit(main())
