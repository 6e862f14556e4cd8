"""The Spark session of a job; its settings come from `conf/spark-defaults.conf`."""

import os
import sys

from pyspark.sql import SparkSession


def create_session(app_name: str) -> SparkSession:
    """Return the session of this process.

    The Python workers run this interpreter, wherever the job was started from.
    """
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    return SparkSession.builder.appName(app_name).getOrCreate()
