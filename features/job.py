"""The feature job: `spark-submit features/job.py MUSIC_DIR`.

Audio → feature table → taste space → track index. The summary is one line of JSON on
standard output; progress and failures go to standard error.
"""

import json
import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic
from typing import Final

import click
from pyspark.sql import SparkSession

from features.extract import TableBuilder
from features.index import build_index
from features.plan import BuildSummary
from features.spec import FeatureSpec
from features.table import table_folder
from segue.catalog import track_id_of
from segue.clock import Clock, system_clock
from segue.errors import LibraryError, SegueError
from segue.settings import Settings, load_settings

# each worker is one thread of one core; more threads only get in each other's way
_THREAD_LIMITS: Final = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobReport:
    """What a run of the job did.

    Attributes
    ----------
    files : BuildSummary
    n_tracks : int
        Tracks in the index.
    index_version : str
    seconds : float
        Wall time of the build, without the start of Spark.
    """

    files: BuildSummary
    n_tracks: int
    index_version: str
    seconds: float

    def to_json(self) -> str:
        """Return the report as one line."""
        fields = asdict(self)
        return json.dumps({**fields.pop("files"), **fields})


def run_build(
    spark: SparkSession, music: Path, settings: Settings, clock: Clock
) -> JobReport:
    """Bring table, space and index up to date with a music folder.

    Raises
    ------
    LibraryError
        When `music` is no folder, or no file of it ever gave features.
    """
    start, spec = monotonic(), FeatureSpec()
    builder = TableBuilder(
        spark,
        table_folder(settings.home, spec),
        spec,
        settings.features,
        clock,
        lambda line: click.echo(line, err=True),
    )
    files, contents = builder.build(music)
    index = build_index(settings, spec, set(map(track_id_of, contents)))
    return JobReport(
        files=files,
        n_tracks=len(index.track_ids),
        index_version=index.version,
        seconds=round(monotonic() - start, 2),
    )


def create_session(settings: Settings, submitted: bool) -> SparkSession:
    """Return the session of this job.

    Parameters
    ----------
    submitted : bool
        Whether `spark-submit` started this process: it has chosen the master.
    """
    builder = SparkSession.builder.appName("segue features")
    if not submitted:
        builder = builder.master(settings.spark.master)
        builder = builder.config("spark.driver.memory", settings.spark.driver_memory)
    options: dict[str, str | bool | int | float | None] = {
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "2",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        **{f"spark.executorEnv.{name}": "1" for name in _THREAD_LIMITS},
    }
    return builder.config(map=options).getOrCreate()


@click.command()
@click.argument("music_dir", type=click.Path(path_type=Path))
def main(music_dir: Path) -> None:
    """Bring the feature table and the track index up to date with MUSIC_DIR."""
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    try:
        settings = load_settings(os.environ)
        if not music_dir.is_dir():  # said before Spark takes its seconds to start
            raise LibraryError(f"{music_dir} is no folder; give one that holds music")
        spark = create_session(settings, "PYSPARK_GATEWAY_PORT" in os.environ)
        spark.sparkContext.setLogLevel("ERROR")
        report = run_build(spark, music_dir, settings, system_clock)
    except SegueError as error:
        raise click.ClickException(str(error)) from error
    spark.stop()
    click.echo(report.to_json())


if __name__ == "__main__":
    main()
