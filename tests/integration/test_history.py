"""Histories on real Kafka, Spark and MongoDB: archived once, counted, folded in."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from kafka import KafkaProducer

from segue import store
from segue.clock import system_clock
from segue.events import Action, PlaybackEvent
from segue.settings import KafkaSettings, Settings
from segue.track_index import write_track_index
from segue.track_names import name_id_of
from streaming.archive import read_archive
from streaming.panes import COUNTS
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
YEARS_AGO = datetime(2019, 4, 1, 21, 0, tzinfo=UTC)
ARRIVES_LATER = name_id_of("Ada", "Low Tide")
NEVER_ARRIVES = name_id_of("Ada", "Lost")


def send(kafka: KafkaSettings, topic: str, messages: list[bytes]) -> None:
    producer = KafkaProducer(bootstrap_servers=kafka.bootstrap, acks="all")
    for message in messages:
        producer.send(topic, key=b"ada", value=message)
    producer.flush()
    producer.close()


def history() -> list[PlaybackEvent]:
    """Return plays of three days; two of a track that is not there yet."""
    plays = [
        create_event(
            Action.SKIPPED if n % 4 == 3 else Action.COMPLETED,
            track_id=f"t{n % 9:03d}",
            at=YEARS_AGO + seconds(n * 7_200),
            played_ms=10_000,
        )
        for n in range(30)
    ]
    last = plays[-1].event_time
    for n, name in enumerate((ARRIVES_LATER, ARRIVES_LATER, NEVER_ARRIVES), start=1):
        plays.append(create_event(track_id=name, at=last + seconds(n * 300)))
    return plays


def ledger_of(job: StreamingJob) -> Counter[str]:
    """Return where the messages went, summed up."""
    total: Counter[str] = Counter()
    for pane in job.database[store.TASTE_WINDOWS].find():
        total.update({name: pane[name] for name in COUNTS})
    for count in job.database[store.REJECTED_COUNTS].find():
        total.update({"n_read": count["n_read"], "n_late": count["n_late"]})
        total.update({"n_rejected": sum(count["rejected"].values())})
    return total


def archived_ids(settings: Settings) -> list[str]:
    rows = read_archive(settings.home).to_table(columns=["event_id"])
    return sorted(rows["event_id"].to_pylist())


def test_a_history_is_archived_counted_and_folded_into_taste(
    settings: SettingsFactory, streaming_job: Callable[[Settings], StreamingJob]
) -> None:
    ready = settings(topics=True)
    write_track_index(ready.home / "index", INDEX)
    job = streaming_job(ready)
    plays = history()
    late = create_event(user_id="bob", at=system_clock() - seconds(7_200))
    messages = [play.to_json() for play in plays]
    send(ready.kafka, ready.kafka.history_topic, [*messages, messages[0], b"no json"])
    send(ready.kafka, ready.kafka.events_topic, [late.to_json()])
    job.start()
    job.wait_until_all_counted(36)

    assert archived_ids(ready) == sorted(e.event_id for e in [*plays, late])
    assert ledger_of(job) == Counter(
        n_read=36,
        n_events=30,
        n_unknown_track=3,
        n_duplicates=1,
        n_forgotten=0,
        n_late=1,
        n_rejected=1,
    )
    listens = list(job.database[store.LISTENS].find({"user_id": "ada"}))
    assert {listen["play_id"] for listen in listens} == {e.play_id for e in plays}
    days = {
        pane["window_start"]: pane["n_listens"]
        for pane in job.database[store.TASTE_WINDOWS].find({"user_id": "ada"})
    }
    assert len(days) == 4
    assert days[YEARS_AGO.replace(hour=0)] == 2

    # the track arrives: what was known by name counts at the listener's next word
    job.database[store.TRACKS].insert_one({"_id": "t030", "name_id": ARRIVES_LATER})
    more = create_event(track_id="t001", at=plays[-1].event_time + seconds(60))
    send(ready.kafka, ready.kafka.history_topic, [*messages, more.to_json()])
    job.wait_until_all_counted(36 + len(messages) + 1)
    assert archived_ids(ready) == sorted(e.event_id for e in [*plays, late, more])
    totals = ledger_of(job)
    assert (totals["n_events"], totals["n_unknown_track"]) == (33, 1)
    assert totals["n_duplicates"] == 1 + len(messages)
    assert totals["n_read"] == sum(totals.values()) - totals["n_read"]
    assert "t030" in because_of(job, "ada")
    assert because_of(job, "bob") == {late.track_id}


def because_of(job: StreamingJob, user_id: str) -> set[Any]:
    (found,) = job.database[store.RECOMMENDATIONS].find({"_id": user_id})
    return {each["track_id"] for item in found["items"] for each in item["because"]}
