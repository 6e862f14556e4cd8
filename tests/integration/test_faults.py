"""The streaming job while what it stands on falls and comes back."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing

import numpy as np
import psutil
import pytest

from benches.live_load import Sender, Sent
from benches.stack import Stack, create_bench_index, stack
from segue import store
from segue.services import kafka, mongo, process
from segue.services.java import find_java
from segue.track_index import write_track_index
from streaming.archive import read_archive
from tests.integration.conftest import StreamingJob

RATE, N_LISTENERS = 40.0, 60


@pytest.fixture(scope="module")
def own(jars: object) -> Iterator[Stack]:
    """Services of its own: these are killed."""
    with stack() as running:
        yield running


@pytest.fixture
def sender(own: Stack) -> Sender:
    rng = np.random.default_rng(4)
    index = create_bench_index(200, rng)
    write_track_index(own.settings.home / "index", index)
    return Sender(own.settings, index.track_ids, N_LISTENERS, rng)


def kill_workers(own: Stack) -> None:
    assert own.kill_workers()


def mongod_away(own: Stack) -> None:
    child = process.find(own.settings.home, mongo.NAME)
    assert child is not None
    process.kill(own.settings.home, mongo.NAME)
    time.sleep(5)
    (port,) = child.ports.values()
    mongo.wait(mongo.launch(own.settings.home, port))


def broker_away(own: Stack) -> None:
    process.kill(own.settings.home, kafka.NAME)
    time.sleep(5)
    port = int(str(own.settings.kafka.bootstrap).rpartition(":")[2])
    java = find_java(own.settings.spark.java_home)
    kafka.wait(kafka.launch(own.settings.home, port, java))


def stopped_and_started(own: Stack) -> None:
    """End the job as an operator does, in the middle of its batches."""
    leader = psutil.Process(own.stream_pid())
    leader.terminate()
    assert leader.wait(60) in (0, None)
    child = process.find(own.settings.home, "stream")
    assert child is not None
    assert "stopped after the batch" in process.log_tail(child)
    commits = own.settings.home / "checkpoints" / "taste" / "commits"
    offsets = commits.with_name("offsets")
    last = [max(int(p.name) for p in f.glob("[0-9]*")) for f in (offsets, commits)]
    assert last[0] - last[1] <= 1
    own.start_stream()


def checkpoint_damaged(own: Stack) -> None:
    """Let a disk keep half of what was written; do what the job then says."""
    checkpoints = own.settings.home / "checkpoints"
    own.stop_stream()
    offsets = checkpoints / "taste" / "offsets"
    newest = max(offsets.glob("[0-9]*"), key=lambda path: int(path.name))
    newest.write_text(newest.read_text()[:20])
    (newest.parent / f".{newest.name}.crc").unlink(missing_ok=True)
    own.start_stream()
    child = process.find(own.settings.home, "stream")
    assert child is not None
    psutil.Process(child.pid).wait(120)
    said = process.log_tail(child)
    assert "move" in said, said
    assert "segue recompute" in said
    checkpoints.rename(checkpoints.with_name("damaged"))
    own.start_stream()


def held(own: Stack) -> dict[str, Counter[str]]:
    panes = Counter(
        entry["event_id"]
        for pane in own.database[store.TASTE_WINDOWS].find()
        for entry in pane["entries"]
    )
    table = read_archive(own.settings.home).to_table(columns=["event_id"])
    return {"panes": panes, "archive": Counter(table["event_id"].to_pylist())}


def newest(sent: list[Sent]) -> dict[str, object]:
    return {each.user_id: each.at for each in sent}


def test_what_falls_and_comes_back_loses_and_doubles_nothing(
    own: Stack, sender: Sender
) -> None:
    faults: list[Callable[[Stack], None]] = [
        kill_workers,
        mongod_away,
        broker_away,
        stopped_and_started,
        checkpoint_damaged,
    ]
    own.start_stream()
    job = StreamingJob(own.settings)
    with closing(job.database.client):
        sender.send(RATE, 3, "before")
        job.wait_until_all_counted(len(sender.sent))
        for fault in faults:
            sender.send(RATE, 3, fault.__name__)
            fault(own)
            sender.send(RATE, 1, "after")
            job.wait_until_all_counted(len(sender.sent))
    wanted = Counter(each.event_id for each in sender.sent)
    assert held(own) == {"panes": wanted, "archive": wanted}
    assert own.database[store.LISTENS].count_documents({}) == len(wanted)
    lists = own.database[store.RECOMMENDATIONS].find()
    assert {each["_id"]: each["newest_event_at"] for each in lists} == newest(
        sender.sent
    )
