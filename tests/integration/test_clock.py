"""Clocks that jump and come back: what each does to events, and that none is lost.

What the job sees of a broker's clock is the time that each message bears. Here the
topic takes that from the sender, once the job runs.
"""

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from kafka import KafkaProducer
from kafka.admin import ConfigResource, ConfigResourceType

from segue import store
from segue.cli import main
from segue.clock import fixed_clock, system_clock
from segue.services import kafka, process
from segue.settings import Settings, to_environment
from segue.track_index import write_track_index
from streaming.archive import read_archive
from streaming.panes import DAY_S
from tests.conftest import SettingsFactory
from tests.factories import create_event, create_index
from tests.integration.conftest import NAME, StreamingJob

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = [
    pytest.mark.kafka,
    pytest.mark.mongo,
    pytest.mark.spark,
    pytest.mark.slow,
]

N_EVENTS = 20
JobFactory = Callable[[Settings], StreamingJob]


class Shown:
    """Sends events whose clock, and whose broker's, may be wrong."""

    def __init__(self, settings: Settings) -> None:
        self._topic = settings.kafka.events_topic
        self._producer = KafkaProducer(
            bootstrap_servers=settings.kafka.bootstrap, acks="all"
        )

    def send(self, clients_min: float, broker_min: float) -> set[str]:
        """Send events with clocks that are so many minutes ahead; return their ids."""
        now, ids = system_clock(), set()
        shown = int((now + timedelta(minutes=broker_min)).timestamp() * 1000)
        sent = []
        for number in range(N_EVENTS):
            event = create_event(
                track_id=f"t{number:03d}",
                user_id=f"listener-{number % 4}",
                at=now + timedelta(minutes=clients_min),
            )
            ids.add(event.event_id)
            key = event.user_id.encode()
            value = event.to_json()
            sent.append(
                self._producer.send(
                    self._topic, key=key, value=value, timestamp_ms=shown
                )
            )
        for each in sent:
            each.get(timeout=10)
        return ids

    def close(self) -> None:
        self._producer.close()


@pytest.fixture
def ready(settings: SettingsFactory) -> Settings:
    made = settings(topics=True)
    write_track_index(made.home / "index", create_index())
    return made


@pytest.fixture
def job(ready: Settings, streaming_job: JobFactory) -> StreamingJob:
    made = streaming_job(ready)
    made.start()
    made.wait_for("job", lambda: progress(made))
    return made


@pytest.fixture
def shown(ready: Settings, job: StreamingJob) -> Iterator[Shown]:
    """Let the topic bear the sender's times, from when the job runs."""
    client = kafka.admin(str(ready.kafka.bootstrap), ready.kafka.timeout_ms)
    ours = {
        "message.timestamp.type": "CreateTime",
        "message.timestamp.after.max.ms": str(2**62),
    }
    topic = ready.kafka.events_topic
    client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, ours)])
    client.close()
    sender = Shown(ready)
    yield sender
    sender.close()


def progress(job: StreamingJob) -> store.Document:
    return job.database[store.STREAM_PROGRESS].find_one({"_id": "taste"}) or {}


def n_counted(job: StreamingJob) -> int:
    return sum(count["n_read"] for count in job.database[store.REJECTED_COUNTS].find())


def in_panes(job: StreamingJob, length_s: int | None = None) -> list[str]:
    wanted = {} if length_s is None else {"window_length_s": length_s}
    return sorted(
        entry["event_id"]
        for pane in job.database[store.TASTE_WINDOWS].find(wanted)
        for entry in pane["entries"]
    )


def archived(settings: Settings) -> list[str]:
    table = read_archive(settings.home).to_table(columns=["event_id"])
    return sorted(table["event_id"].to_pylist())


def rejected(job: StreamingJob) -> int:
    found = job.database[store.REJECTED_COUNTS].find()
    return sum(sum(count["rejected"].values()) for count in found)


def test_jumps_lose_nothing(ready: Settings, job: StreamingJob, shown: Shown) -> None:
    sent = set[str]()
    for ahead_min in (0, -20, 0, 20, 0):
        sent |= shown.send(ahead_min, ahead_min)
        job.wait_until_all_counted(len(sent))
    assert in_panes(job, ready.stream.pane_s) == sorted(sent) == archived(ready)
    assert rejected(job) == 0

    # the broker's clock alone, ahead: what comes then is late
    late = shown.send(0, 60)
    job.wait_until_all_counted(len(sent | late))
    assert in_panes(job, DAY_S) == sorted(late)

    # and behind: what comes then lies ahead of it
    refused = shown.send(0, -60)
    job.wait_until_all_counted(len(sent | late | refused))
    assert rejected(job) == N_EVENTS
    again = ["rejected", "retry", "--reason", "future_time", "--json"]
    done = CliRunner().invoke(main, again, env=dict(to_environment(ready)))
    assert json.loads(done.output)["sent"] == N_EVENTS, done.output
    job.wait_until_all_counted(len(sent | late) + 2 * N_EVENTS)
    everything = sorted(sent | late | refused)
    assert in_panes(job) == everything == archived(ready)


def test_after_a_jump_of_an_hour_the_job_says_what_recompute_brings_back(
    ready: Settings, job: StreamingJob, shown: Shown, spark: "SparkSession"
) -> None:
    from streaming.recompute import recompute

    kept = shown.send(0, 0)
    job.wait_until_all_counted(len(kept))
    kept |= shown.send(60, 60)
    job.wait_until_all_counted(len(kept))
    now = system_clock()
    job.wait_for("watermark", lambda: (progress(job).get("watermark") or now) > now)
    # a micro-batch leaves out what lies before the watermark of the one before it
    kept |= shown.send(60, 60)
    job.wait_until_all_counted(len(kept))
    dropped = shown.send(0, 0)
    job.wait_for("count", lambda: n_counted(job) == len(kept | dropped))
    assert archived(ready) == sorted(kept | dropped)

    def log() -> str:
        child = process.find(ready.home, NAME)
        return "" if child is None else process.log_tail(child)

    job.wait_for("warning", lambda: "segue recompute" in log())
    job.stop()
    assert in_panes(job) == sorted(kept)
    a_day, later = timedelta(days=1), fixed_clock(now + timedelta(hours=2))
    recompute(spark, ready, now.date() - a_day, now.date() + a_day, later)
    assert in_panes(job) == sorted(kept | dropped)
    newest: dict[str, datetime] = {
        each["_id"]: each["newest_event_at"]
        for each in job.database[store.RECOMMENDATIONS].find()
    }
    assert min(newest.values()) > now
