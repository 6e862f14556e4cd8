"""Aggregates of the whole stream, killed on its way, against SQL over its archive."""

from collections.abc import Callable

import pytest

from segue import store
from segue.activity import Kind, Level
from segue.clock import system_clock
from segue.settings import Settings
from segue.track_index import write_track_index
from soaks.activity_made import Message, make_messages, store_tracks
from soaks.counted_by_sql import counts_by_sql, counts_stored, differences
from streaming.archive_files import FOLDER
from streaming.producer import Producer
from tests.conftest import SettingsFactory
from tests.factories import create_index
from tests.integration.conftest import StreamingJob

pytestmark = [
    pytest.mark.kafka,
    pytest.mark.mongo,
    pytest.mark.spark,
    pytest.mark.slow,
]

INDEX = create_index(60)


def send(settings: Settings, topic: str, messages: list[Message]) -> int:
    with Producer(settings.kafka, settings.home / "spool" / topic, topic) as producer:
        for key, value in messages:
            producer.send_raw(key, value)
        producer.flush()
    return len(messages)


def n_read(job: StreamingJob) -> int:
    return sum(each["n_read"] for each in job.database[store.REJECTED_COUNTS].find())


def test_every_column_says_what_sql_says_of_the_archive(
    settings: SettingsFactory, streaming_job: Callable[[Settings], StreamingJob]
) -> None:
    ready = settings(topics=True, stream={"hours_wait_s": 0.5})
    write_track_index(ready.home / "index", INDEX)
    job = streaming_job(ready)
    store_tracks(job.database, INDEX)
    live, history, forgetting = make_messages(
        job.database, INDEX, system_clock(), 3_000, 100
    )
    events, past = ready.kafka.events_topic, ready.kafka.history_topic
    half = len(live) // 2
    n = send(ready, events, live[:half]) + send(ready, past, history)
    activity = job.database[store.ACTIVITY]
    job.start()
    # in the midst of a batch: some of its dates have been counted
    job.wait_for("first spans", activity.find_one)
    job.kill()
    n += send(ready, events, [*live[half:], forgetting[1]])
    n += send(ready, past, [*history[::50], forgetting[0]])
    job.start()
    job.wait_for("all messages", lambda: n_read(job) >= n)
    rules = job.database[store.FORGETS]
    job.wait_for("forgetting", lambda: rules.count_documents({"done_at": None}) == 0)
    job.wait_for("sums", lambda: not job.database[store.ACTIVITY_DUE].find_one())

    files = sorted((ready.home / FOLDER).rglob("[!._]*.parquet"))
    wanted = counts_by_sql(files, job.database, system_clock())
    assert {each.level for each in wanted} == {*Level}
    assert {each.kind for each in wanted} == {*Kind}
    months = [told for each, (told, _) in wanted.items() if each.level == Level.MONTH]
    for name in ("n_left", "n_skipped", "n_liked", "heard_ms", "skipped_at_0"):
        assert sum(told[name] for told in months) > 0
    assert rules.count_documents({"n_listens": {"$gt": 0}}) == 2
    assert differences(counts_stored(job.database), wanted) == []
