"""Lists that a backlog left due: made on the workers, once it has been taken in."""

import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Final

import pyarrow as pa
from py4j.protocol import Py4JError
from pymongo.database import Database
from pymongo.errors import PyMongoError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from segue import store
from segue.clock import Clock, system_clock
from segue.delays import Slots
from segue.settings import Settings
from segue.store import Document
from segue.track_index import read_track_index
from streaming.delays import note_delays
from streaming.panes import Panes
from streaming.schemas import UPDATED
from streaming.session import settle_worker, worker_database
from streaming.updating import bring_up_to_date, report

_LOG = logging.getLogger(__name__)
# a task is short, so that a micro-batch need not wait for a core
_IN_A_TASK: Final = 100
_IN_A_ROUND: Final = 500
_POOL: Final = "lists"


class CatchingUp:
    """Makes the lists that are due, those first that have waited longest.

    Parameters
    ----------
    is_behind : callable
        Whether the stream still takes in a backlog, which would make them due again.
    """

    def __init__(
        self,
        spark: SparkSession,
        database: Database[Document],
        settings: Settings,
        is_behind: Callable[[], bool],
    ) -> None:
        self._spark, self._due = spark, database[store.LISTS_DUE]
        self._settings, self._is_behind = settings, is_behind
        self._is_over = False

    def look(self) -> None:
        """Make some of the lists that are due; what fails, the next look makes."""
        try:
            first = self._due.find({}, ("_id",)).sort("since").limit(_IN_A_ROUND)
            user_ids = [each["_id"] for each in first]
            if user_ids and not self._is_behind():
                self._make(user_ids)
        except (PyMongoError, PySparkException, Py4JError, OSError) as error:
            if not self._is_over:
                _LOG.warning("lists that are due wait: %s", error)

    def end(self) -> None:
        """Cut off what is being made; it stays due."""
        self._is_over = True
        self._spark.sparkContext.cancelJobGroup(_POOL)

    def _make(self, user_ids: list[str]) -> None:
        context = self._spark.sparkContext
        context.setLocalProperty("spark.scheduler.pool", _POOL)
        context.setJobGroup(_POOL, "lists that are due", interruptOnCancel=True)
        table = pa.table({"user_id": pa.array(user_ids, pa.string())})
        n_tasks = -(-len(user_ids) // _IN_A_TASK)
        due = self._spark.createDataFrame(table).repartition(n_tasks)
        due.mapInArrow(listing(self._settings), UPDATED).write.format("noop").mode(
            "overwrite"
        ).save()


def listing(
    settings: Settings, clock: Clock = system_clock
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return the worker's step for `mapInArrow` over the `user_id` of who is due."""

    def listed(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        settle_worker()
        database = worker_database(settings.mongo)
        index = read_track_index(settings.home / "index")
        delays = Slots()
        for batch in batches:
            user_ids = batch["user_id"].to_pylist()
            nothing_new: Panes = {user_id: [] for user_id in user_ids}
            done = bring_up_to_date(database, nothing_new, index, settings, clock)
            delays += done.delays
            yield report(len(user_ids), done)
        note_delays(database, delays)

    return listed
