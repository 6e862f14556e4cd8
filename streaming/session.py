"""The Spark session of a job, and what each of its workers keeps open.

Spark's settings come from `conf/spark-defaults.conf`.
"""

import os
import sys
from functools import lru_cache

from pymongo.database import Database
from pyspark.sql import SparkSession

from segue import store
from segue.settings import MongoSettings
from segue.store import Document


def create_session(app_name: str) -> SparkSession:
    """Return the session of this process.

    The Python workers run this interpreter, wherever the job was started from.
    """
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    return SparkSession.builder.appName(app_name).getOrCreate()


@lru_cache(maxsize=1)
def worker_database(settings: MongoSettings) -> Database[Document]:
    """Return this worker process's own connection."""
    return store.connect(settings)
