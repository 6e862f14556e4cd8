"""The streaming job: `bin/submit stream`, or `spark-submit streaming/job.py`.

Two queries read the events topic. `taste` keeps panes and lists; `intake`, which also
reads histories, counts every message, archives events and hands rejected messages on.
Each may be killed at any moment and goes on where its checkpoint stands.
"""

import fcntl
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from pyspark.errors import StreamingQueryException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.streaming.query import StreamingQuery
from pyspark.sql.streaming.readwriter import DataStreamWriter

from segue import indexes, store
from segue.clock import system_clock
from segue.errors import SegueError, StreamError
from segue.log import configure_logging
from segue.repeating import Repeating
from segue.services import require_reachable
from segue.services.topics import require_broker_time
from segue.settings import Settings, load_settings
from segue.track_index import read_track_index
from streaming.arrivals import Arrivals
from streaming.batch_size import messages_per_batch
from streaming.catching_up import CatchingUp
from streaming.checkpoints import open_checkpoint
from streaming.exporter import exporting
from streaming.intake import intake
from streaming.old_ranges import OldRanges
from streaming.progress import Progress, is_behind
from streaming.rolling import rolling_activity, rolling_served
from streaming.schemas import UPDATED
from streaming.session import create_session
from streaming.source import read_records, valid_events, with_verdicts
from streaming.uncounted import note_uncounted
from streaming.updating import updating
from streaming.windows import by_listener, open_panes

_LOG = logging.getLogger(__name__)
_TASTE: Final = "taste"
# counts may lag a little; the cores are for the lists
_INTAKE_TRIGGER: Final = "10 seconds"
# of what a batch may hold: one worker has all events of a date in its memory
_INTAKE_SHARE: Final = 0.25
_OUTAGE_MS: Final = 60_000
_ARRIVALS_S: Final = 1.0
_PROGRESS_S: Final = 1.0
_CATCH_UP_S: Final = 0.25
_ROLL_S: Final = 0.5
_OLD_RANGES_S: Final = 60.0
_LOOK_S: Final = 1
# longer than a batch of a backlog may take, shorter than who waits for the job's end
_BATCH_S: Final = 50.0
_BETWEEN_S: Final = 0.02


def start_taste(spark: SparkSession, settings: Settings) -> StreamingQuery:
    """Start the query that keeps panes and lists."""
    topics = [settings.kafka.events_topic]
    records = _records(spark, settings, topics, share=1.0)
    panes = open_panes(valid_events(records, settings), settings.stream)
    # the workers write; what comes back are counts, which nobody needs
    done = by_listener(panes).mapInArrow(
        updating(settings, lists_s=settings.stream.lists_s), UPDATED
    )
    trigger = f"{settings.stream.trigger_ms} milliseconds"
    writer = done.writeStream.format("noop")
    return _start(spark, _TASTE, writer, trigger, settings)


def start_intake(spark: SparkSession, settings: Settings) -> StreamingQuery:
    """Start the query that counts, archives and hands on, live events and history."""
    topics = [settings.kafka.events_topic, settings.kafka.history_topic]
    records = _records(spark, settings, topics, _INTAKE_SHARE)
    judged = with_verdicts(records, settings)
    writer = judged.writeStream.foreachBatch(intake(settings))
    return _start(spark, "intake", writer, _INTAKE_TRIGGER, settings)


def _records(
    spark: SparkSession, settings: Settings, topics: list[str], share: float
) -> DataFrame:
    most = messages_per_batch(settings, topics, share)
    return read_records(spark, settings.kafka, topics, most)


def _start(
    spark: SparkSession,
    name: str,
    writer: DataStreamWriter,
    trigger: str,
    settings: Settings,
) -> StreamingQuery:
    # its jobs' pool of conf/fairscheduler.xml
    spark.sparkContext.setLocalProperty("spark.scheduler.pool", name)
    return (
        writer.queryName(name)
        .outputMode("update")
        .option("checkpointLocation", str(open_checkpoint(settings, name)))
        .trigger(processingTime=trigger)
        .start()
    )


@contextmanager
def only_driver(home: Path) -> Iterator[None]:
    """Hold the checkpoints of `home` for this process.

    Raises
    ------
    StreamError
        When another streaming job holds them.
    """
    folder = home / "checkpoints"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StreamError(
                f"another streaming job works on {folder}; stop it, or give this one "
                "a SEGUE_HOME of its own"
            ) from None
        yield


def run(settings: Settings) -> None:
    """Run both queries until one fails or the process is told to stop.

    Raises
    ------
    SegueError
        When the index, MongoDB or Kafka cannot be had, or a query fails.
    """
    read_track_index(settings.home / "index")
    require_reachable(settings)
    require_broker_time(settings)
    settings = _patient(settings)
    database = store.connect(settings.mongo)
    indexes.prepare(database)
    indexes.keep_listens_for(database, settings.mongo.listens_days)
    with only_driver(settings.home):
        spark = create_session("segue-stream")
        # to plan a small micro-batch anew after each stage costs more than it finds
        spark.conf.set("spark.sql.adaptive.enabled", "false")
        arrivals = Arrivals(database, settings, system_clock)
        running = partial(_running, spark)
        progress = Progress(database, settings.stream, running, system_clock)
        catching_up = CatchingUp(
            spark, database, settings, lambda: is_behind(running(), _TASTE)
        )
        rolling = [
            rolling_activity(database, settings),
            rolling_served(database, settings),
        ]
        old = OldRanges(database, settings.kafka.retention_h, system_clock)
        note_uncounted(settings, database, system_clock)
        beside = [
            Repeating("arrivals", _ARRIVALS_S, arrivals.look),
            Repeating("progress", _PROGRESS_S, progress.look),
            Repeating("catching up", _CATCH_UP_S, catching_up.look),
            Repeating("old ranges", _OLD_RANGES_S, old.look),
            *(Repeating(each.name, _ROLL_S, each.look) for each in rolling),
        ]
        try:
            start_taste(spark, settings)
            start_intake(spark, settings)
            for thread in beside:
                thread.start()
            _LOG.info("streaming from %s", settings.kafka.events_topic)
            with exporting(settings.stream, running, system_clock):
                _wait(spark)
        except StreamingQueryException as error:
            raise StreamError(_explained(error, settings)) from error
        finally:
            catching_up.end()
            for each in rolling:
                each.end()
            for thread in beside:
                thread.end()
            # a batch that the end cuts off would bury the error below its stack trace
            for query in spark.streams.active:
                query.stop()
            spark.stop()


def _running(spark: SparkSession) -> list[StreamingQuery]:
    return spark.streams.active


def _wait(spark: SparkSession) -> None:
    """Wait until a query fails, or until each has ended its batch after a SIGTERM."""
    is_told = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: is_told.set())
    while not is_told.is_set():
        if spark.streams.awaitAnyTermination(_LOOK_S):
            return
    for query in spark.streams.active:
        _stop_after_batch(query)
    _LOG.info("stopped after the batch")


def _stop_after_batch(query: StreamingQuery) -> None:
    before, deadline = _last_batch(query), time.monotonic() + _BATCH_S
    while (
        query.isActive
        and query.status["isTriggerActive"]
        and _last_batch(query) == before
        and time.monotonic() < deadline
    ):
        time.sleep(_BETWEEN_S)
    query.stop()


def _last_batch(query: StreamingQuery) -> int | None:
    progress = query.lastProgress
    return None if progress is None else progress.batchId


def _patient(settings: Settings) -> Settings:
    """Return settings under which reads and writes outlast a restart of MongoDB."""
    timeout_ms = max(settings.mongo.timeout_ms, _OUTAGE_MS)
    mongo = settings.mongo.model_copy(update={"timeout_ms": timeout_ms})
    return settings.model_copy(update={"mongo": mongo})


def _explained(error: StreamingQueryException, settings: Settings) -> str:
    said = str(error).strip().splitlines()[0]
    return (
        f"{said}\nStart it again: it goes on where it stood. If it says the same, "
        f"move {settings.home / 'checkpoints'} away: the stream then reads Kafka from "
        f"its beginning ({settings.kafka.retention_h} hours), and `segue recompute` "
        "makes panes, tastes and lists of what lies before anew"
    )


def main() -> int:
    """Run the job with the settings of the environment; return the exit status."""
    configure_logging()
    try:
        run(load_settings(os.environ))
    except SegueError as error:
        _LOG.error("%s", error)
        return 1
    except KeyboardInterrupt:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
