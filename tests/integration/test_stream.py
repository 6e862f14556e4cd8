"""The streaming job on real Kafka and MongoDB: bad input, and `kill -9`."""

import base64
import json
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

import numpy as np
import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import MessageSizeTooLargeError

from segue import store
from segue.clock import system_clock
from segue.events import Action, PlaybackEvent
from segue.services.topics import ensure_topics
from segue.settings import KafkaSettings, Settings
from segue.track_index import write_track_index
from tests.conftest import SettingsFactory
from tests.factories import create_event, create_index, seconds
from tests.integration.conftest import StreamingJob

pytestmark = [
    pytest.mark.kafka,
    pytest.mark.mongo,
    pytest.mark.spark,
    pytest.mark.slow,
]

INDEX = create_index()
JobFactory = Callable[[Settings], StreamingJob]


def send(kafka: KafkaSettings, messages: list[bytes]) -> None:
    """Publish raw bytes, past our own producer's checks."""
    producer = KafkaProducer(
        bootstrap_servers=kafka.bootstrap, max_request_size=8 << 20, acks="all"
    )
    for number, message in enumerate(messages):
        key = f"k{number % 5}".encode()
        producer.send(kafka.events_topic, key=key, value=message)
    producer.flush()
    producer.close()


def read_rejected(kafka: KafkaSettings) -> dict[str, dict[str, Any]]:
    """Return what lies in the topic of rejected messages, by key."""
    consumer = KafkaConsumer(bootstrap_servers=kafka.bootstrap)
    topic = kafka.rejected_topic
    partitions = [
        TopicPartition(topic, number)
        for number in consumer.partitions_for_topic(topic) or ()
    ]
    consumer.assign(partitions)
    consumer.seek_to_beginning()
    ends = consumer.end_offsets(partitions)
    found = {}
    while any(
        consumer.position(partition) < ends[partition] for partition in partitions
    ):
        for records in consumer.poll(timeout_ms=500).values():
            for record in records:
                found[record.key.decode()] = json.loads(record.value)
    consumer.close()
    return found


def test_bad_messages_are_rejected_with_their_reason_and_good_ones_go_on(
    settings: SettingsFactory, streaming_job: JobFactory
) -> None:
    ready = settings(topics=True)
    write_track_index(ready.home / "index", INDEX)
    job = streaming_job(ready)
    now = system_clock()
    good = create_event(at=now, track_id="t001").to_json()
    fields = json.loads(good)
    without_track = {k: v for k, v in fields.items() if k != "track_id"}
    ahead = create_event(at=now + seconds(86_400)).to_json()
    messages = [
        good,
        good,
        b"",
        b"no json",
        b"\xff\x00",
        b'{"a": 1} {"b": 2}',
        json.dumps([fields]).encode(),
        json.dumps(without_track).encode(),
        json.dumps(fields | {"played_ms": -1}).encode(),
        json.dumps(fields | {"event_time": -1}).encode(),
        json.dumps(fields | {"event_time": "1969-01-01T00:00:00Z"}).encode(),
        json.dumps(fields | {"scope": "x" * 900_000}).encode(),
        create_event(at=now, track_id="unheard of").to_json(),
        create_event(at=now - seconds(3_600)).to_json(),
        ahead,
    ]
    send(ready.kafka, messages)
    job.start()
    job.wait_until_all_counted(len(messages))

    reasons = {
        "not_json": 4,
        "not_object": 1,
        "missing_field": 1,
        "negative": 1,
        "wrong_type": 1,
        "bad_time": 1,
        "too_large": 1,
        "future_time": 1,
    }
    counts = list(job.database[store.REJECTED_COUNTS].find())
    assert sum(map(Counter, (c["rejected"] for c in counts)), Counter()) == reasons
    assert sum(count["n_late"] for count in counts) == 1
    live = {"window_length_s": ready.stream.pane_s}
    (pane,) = job.database[store.TASTE_WINDOWS].find({"n_listens": 1} | live)
    assert (pane["n_events"], pane["n_unknown_track"], pane["n_duplicates"]) == (
        1,
        1,
        1,
    )

    rejected = job.wait_for(
        "rejected messages",
        lambda: (
            (found := read_rejected(ready.kafka))
            and len(found) == sum(reasons.values()) + 1
            and found
        ),
    )
    assert Counter(row["reason"] for row in rejected.values()) == reasons | {
        "unknown_track": 1
    }
    for key, row in rejected.items():
        assert key == f"{row['topic']}|{row['partition']}|{row['offset']}"
        head = base64.b64decode(row["raw_base64"] or "")
        (whole,) = {
            m for m in messages if m.startswith(head) and len(m) == row["n_bytes"]
        }
        assert head == whole[:65_536]
        assert datetime.fromisoformat(row["ingested_at"]) >= now - seconds(5)


def test_a_message_of_two_megabytes_is_refused_by_the_broker(
    settings: SettingsFactory,
) -> None:
    ready = settings(topics=True)
    producer = KafkaProducer(
        bootstrap_servers=ready.kafka.bootstrap, max_request_size=8 << 20
    )
    sent = producer.send(ready.kafka.events_topic, value=b"x" * (2 << 20))
    with pytest.raises(MessageSizeTooLargeError):
        sent.get(timeout=10)
    producer.close()


def beside(settings: Settings) -> Settings:
    """Return settings with another home, other topics and another database."""
    topics = {
        "events_topic": f"{settings.kafka.events_topic}2",
        "history_topic": f"{settings.kafka.history_topic}2",
        "rejected_topic": f"{settings.kafka.rejected_topic}2",
    }
    database = {"database": f"{settings.mongo.database}u"}
    other = settings.model_copy(
        update={
            "home": settings.home / "beside",
            "kafka": settings.kafka.model_copy(update=topics),
            "mongo": settings.mongo.model_copy(update=database),
        }
    )
    ensure_topics(other, print)
    return other


def some_plays(rng: np.random.Generator, n: int) -> list[PlaybackEvent]:
    """Return events of eight listeners within the last minutes; one in ten twice."""
    now = system_clock()
    events = [
        create_event(
            action=rng.choice(
                np.array([Action.COMPLETED, Action.SKIPPED, Action.LIKED])
            ),
            track_id=f"t{rng.integers(45):03d}",  # t040 … are not in the index
            user_id=f"listener-{rng.integers(8)}",
            at=now - seconds(float(rng.integers(400))),
            played_ms=int(rng.integers(60_000)),
        )
        for _ in range(n)
    ]
    twice = [events[int(i)] for i in rng.integers(n, size=n // 10)]
    return [*events, *twice]


def documents(job: StreamingJob) -> dict[str, list[store.Document]]:
    """Return all that the job wrote, without what depends on when it did."""
    of_batches = {"updated_at", "diff"}
    return {
        name: [
            {key: value for key, value in document.items() if key not in of_batches}
            for document in job.database[name].find().sort("_id")
        ]
        for name in (store.TASTE_WINDOWS, store.TASTES, store.RECOMMENDATIONS)
    }


def totals(job: StreamingJob) -> Counter[str]:
    found: Counter[str] = Counter()
    for count in job.database[store.REJECTED_COUNTS].find():
        found.update(
            {key: count[key] for key in ("n_read", "n_valid", "n_late")}
            | count["rejected"]
        )
    return found


def test_a_killed_job_loses_and_doubles_nothing(
    settings: SettingsFactory, streaming_job: JobFactory, rng: np.random.Generator
) -> None:
    # the third part is sent minutes after it was made; it must not be late by then
    killed = settings(topics=True, stream={"watermark_s": 7200})
    undisturbed = beside(killed)
    events = some_plays(rng, 400)
    messages = [event.to_json() for event in events] + [b"no json"] * 7
    for ready in (killed, undisturbed):
        write_track_index(ready.home / "index", INDEX)

    calm = streaming_job(undisturbed)
    send(undisturbed.kafka, messages)
    calm.start()
    calm.wait_until_all_counted(len(messages))
    calm.stop()

    shaken = streaming_job(killed)
    parts = [messages[start::3] for start in range(3)]
    for part in parts[:2]:
        shaken.start()
        n_before = shaken.n_counted()
        send(killed.kafka, part)
        # somewhere between the first written document and the end of the batch
        shaken.wait_for("progress", partial(wrote, shaken, n_before))
        shaken.kill()
    send(killed.kafka, parts[2])
    shaken.start()
    shaken.wait_until_all_counted(len(messages))

    assert documents(shaken) == documents(calm)
    assert totals(shaken) == totals(calm)
    calm.database.client.drop_database(undisturbed.mongo.database)


def wrote(job: StreamingJob, n_before: int) -> bool:
    return job.n_counted() > n_before or (
        job.database[store.TASTE_WINDOWS].count_documents({}) > 0 and n_before == 0
    )


def test_lists_that_a_backlog_leaves_due_follow_it(
    settings: SettingsFactory, streaming_job: JobFactory, rng: np.random.Generator
) -> None:
    # not even the first listeners of a micro-batch get their lists in it
    ready = settings(topics=True, stream={"watermark_s": 7200, "lists_s": 1e-9})
    write_track_index(ready.home / "index", INDEX)
    events = some_plays(rng, 300)
    send(ready.kafka, [event.to_json() for event in events])
    job = streaming_job(ready)
    job.start()
    due = job.database[store.LISTS_DUE]
    job.wait_for("due list", due.find_one)
    job.kill()
    job.start()
    job.wait_until_all_counted(len(events))
    job.wait_for("last list", lambda: due.find_one() is None)
    newest: dict[str, datetime] = {}
    for event in events:
        ms = event.event_time.microsecond // 1_000
        at = event.event_time.replace(microsecond=ms * 1_000)
        newest[event.user_id] = max(at, newest.get(event.user_id, at))
    lists = job.database[store.RECOMMENDATIONS].find()
    assert {each["_id"]: each["newest_event_at"] for each in lists} == newest
