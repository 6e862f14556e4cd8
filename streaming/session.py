"""The Spark session of a job, and what each of its workers keeps open.

Spark's settings come from `conf/spark-defaults.conf`.
"""

import gc
import os
import signal
import sys
from functools import lru_cache
from typing import Final

from pymongo.database import Database
from pyspark.sql import SparkSession

from segue import store
from segue.settings import MongoSettings
from segue.store import Document

# objects made before the garbage collector looks for cycles
_GARBAGE_OBJECTS: Final = 50_000


def create_session(app_name: str) -> SparkSession:
    """Return the session of this process.

    The Python workers run this interpreter, wherever the job was started from.
    """
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    return SparkSession.builder.appName(app_name).getOrCreate()


def end_at_interrupt() -> None:
    """Let Ctrl-C end this process without a word; its files are whole or not there.

    To be called after `create_session`, which sets a handler of its own: that would
    cancel Spark's jobs while the JVM goes, and tell of each in stack traces.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@lru_cache(maxsize=1)
def worker_database(settings: MongoSettings) -> Database[Document]:
    """Return this worker process's own connection."""
    return store.connect(settings)


@lru_cache(maxsize=1)
def settle_worker() -> None:
    """Let the garbage collector of this worker process pass over what stays.

    It would look through all that is imported again and again, because a worker makes
    many documents at a time, none of which is in a cycle: a tenth of its time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GARBAGE_OBJECTS)
