"""The feature job: `spark-submit features/job.py MUSIC_DIR`.

Audio → feature table → taste space → track index; where MongoDB is set, the catalogue
follows. The summary is one line of JSON on standard output; progress and failures go to
standard error.
"""

import json
import os
import signal
import sys
from collections.abc import Set
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Final

import click
from pymongo.errors import PyMongoError
from pyspark.sql import SparkSession

from features.audio_reporting import tell_only, write_library_report
from features.extract import TableBuilder
from features.growing import GrowingIndex, indexed_tracks
from features.index import build_index
from features.plan import BuildSummary
from features.spec import FeatureSpec
from features.table import table_folder
from features.watch import SETTLE_S, build_on_change
from segue import indexes, store
from segue.catalog import track_id_of
from segue.clock import Clock, system_clock
from segue.covers import covers_folder
from segue.errors import LibraryError, SegueError
from segue.files import write_atomically
from segue.library import scan_library
from segue.recordings import mark_recordings
from segue.services import require_home
from segue.settings import Settings, load_settings
from segue.track_index import TrackIndex

_ADDED: Final = "added-folders.json"
_INTERRUPTED: Final = 130
_REPORT_EVERY_S: Final = 3_600.0
_WORKER_ENVIRONMENT: Final = {
    # each worker is one thread of one core; more only get in each other's way
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    # Arrow's own pool reserves a gigabyte, which would loosen ffmpeg's memory limit
    "ARROW_DEFAULT_MEMORY_POOL": "system",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class JobReport:
    """What a run of the job did.

    Attributes
    ----------
    files : BuildSummary
    n_unsettled : int
        Files that were left for later, since they may still be written to.
    n_tracks : int
        Tracks in the index.
    index_version : str
    extract_s, seconds : float
        Wall time of the table and of the whole build, without the start of Spark.
    """

    files: BuildSummary
    n_unsettled: int
    n_tracks: int
    index_version: str
    extract_s: float
    seconds: float

    def to_json(self) -> str:
        """Return the report as one line."""
        fields = asdict(self)
        return json.dumps({**fields.pop("files"), **fields})


@dataclass(frozen=True, slots=True)
class FeatureJob:
    """Brings table, space, index and catalogue up to date with a music folder."""

    spark: SparkSession
    music: Path
    settings: Settings
    clock: Clock = system_clock

    def run(
        self,
        *,
        refit: bool = False,
        retry_failed: bool = False,
        settle_s: float = 0.0,
        reports: bool = True,
    ) -> JobReport:
        """Do what is to be done, once; parameters as of the parts.

        Parameters
        ----------
        reports : bool
            Whether to report on the audio space, which reads the whole table.

        Raises
        ------
        LibraryError
            When `music` is no folder, or no file of it ever gave features.
        """
        start, spec, settings = monotonic(), FeatureSpec(), self.settings
        table = table_folder(settings.home, spec)
        builder = TableBuilder(
            self.spark, table, spec, settings.features, self.clock, _say
        )
        with GrowingIndex(settings, self._listed, self.clock, _say):
            build = builder.build(self.music, retry_failed, settle_s, self._added())
        if build.n_in_music == 0:  # it may be a disk that is away
            raise LibraryError(
                f"no music in {self.music}; give the folder that holds it. The index "
                "stays as it was"
            )
        extracted = monotonic()
        present = set(map(track_id_of, build.contents))
        before = indexed_tracks(settings.home / "index")
        index = build_index(settings, self.clock(), spec, present, refit)
        if n_gone := len(before.difference(index.track_ids)):
            _say(f"{n_gone} tracks that are not in {self.music} have left the index")
        if build.n_unsettled == 0:  # half a file would be a track of its own
            self._update_catalogue(index)
            is_same = build.summary.new + build.summary.failed == 0
            if reports:
                self._report_on_index(unless_known=is_same)
        return JobReport(
            files=build.summary,
            n_unsettled=build.n_unsettled,
            n_tracks=len(index.track_ids),
            index_version=index.version,
            extract_s=round(extracted - start, 2),
            seconds=round(monotonic() - start, 2),
        )

    def watch(self, **first: bool) -> None:
        """Run now and after each change below the folder, until stopped.

        Each run that changes the index prints its report; `first` are options of the
        first one. On the audio space it reports once an hour at most.
        """
        last_version: str | None = None
        reported_s = -_REPORT_EVERY_S

        def build() -> int:
            nonlocal last_version, reported_s
            is_time = monotonic() - reported_s >= _REPORT_EVERY_S
            try:
                report = self.run(settle_s=SETTLE_S, reports=is_time, **first)
                first.clear()
            except (LibraryError, OSError) as error:  # an empty folder may fill
                _say(str(error))
                return 0
            if report.index_version != last_version:
                click.echo(report.to_json())
            if is_time and report.n_unsettled == 0:
                reported_s = monotonic()
            last_version = report.index_version
            return report.n_unsettled

        settings = self.settings
        build_on_change(self.music, settings.home, settings.features.rescan_s, build)

    def _listed(self, track_ids: Set[str]) -> Set[str]:
        """Return those that the catalogue has, where there is one."""
        if self.settings.mongo.uri is None:
            return track_ids
        database = store.connect(self.settings.mongo)
        with database.client:
            found = database[store.TRACKS].find({"_id": {"$in": list(track_ids)}}, ())
            return {each["_id"] for each in found}

    def _added(self) -> list[Path]:
        """Return the folders that were added to the catalogue.

        Where no MongoDB is told, those that were last seen there: without them their
        tracks would leave the index.

        Raises
        ------
        LibraryError
            When it does not answer.
        """
        seen = self.settings.home / _ADDED
        if self.settings.mongo.uri is None:
            told = json.loads(seen.read_bytes()) if seen.exists() else []
            return [Path(each) for each in told]
        try:
            database = store.connect(self.settings.mongo)
            with database.client:
                folders = sorted(database[store.MUSIC_FOLDERS].distinct("_id"))
        except PyMongoError as error:
            raise LibraryError(
                "MongoDB does not answer, which alone knows the folders that were "
                f"added to the library; start it, then build again ({error})"
            ) from None
        seen.parent.mkdir(parents=True, exist_ok=True)
        with write_atomically(seen) as file:
            file.write(json.dumps(folders).encode())
        return [Path(each) for each in folders]

    def _update_catalogue(self, index: TrackIndex) -> None:
        """Scan the folder into MongoDB and group copies, where MongoDB is set.

        Table and index do not wait for it when it is away.
        """
        if self.settings.mongo.uri is None:
            return
        try:
            database = store.connect(self.settings.mongo)
            with database.client:
                indexes.prepare(database)
                covers = covers_folder(self.settings.home)
                scan_library(self.music, database, self.clock, _say, covers=covers)
                mark_recordings(database, index.track_ids, index.vectors)
        except (SegueError, PyMongoError) as error:
            _say(f"the catalogue was not brought up to date: {error}")

    def _report_on_index(self, unless_known: bool) -> None:
        """Report on the audio space, where MongoDB is set."""
        if self.settings.mongo.uri is None:
            return
        write = partial(write_library_report, self.settings, self.clock(), unless_known)
        tell_only(_say, write)


def _say(line: str) -> None:
    click.echo(line, err=True)


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
        **{f"spark.executorEnv.{k}": v for k, v in _WORKER_ENVIRONMENT.items()},
    }
    return builder.config(map=options).getOrCreate()


@click.command()
@click.argument("music_dir", type=click.Path(path_type=Path))
@click.option("--watch", is_flag=True, help="Go on, and take new files as they come.")
@click.option("--refit", is_flag=True, help="Fit the taste space anew.")
@click.option("--retry-failed", is_flag=True, help="Try hopeless files once more.")
def main(music_dir: Path, watch: bool, refit: bool, retry_failed: bool) -> None:
    """Bring the feature table and the track index up to date with MUSIC_DIR."""
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    spark: SparkSession | None = None
    try:
        settings = load_settings(os.environ)
        require_home(settings.home)
        if not music_dir.is_dir():  # said before Spark takes its seconds to start
            raise LibraryError(f"{music_dir} is no folder; give one that holds music")
        spark = create_session(settings, "PYSPARK_GATEWAY_PORT" in os.environ)
        spark.sparkContext.setLogLevel("ERROR")
        # Spark's own handler talks to the JVM in the middle of whatever it interrupts
        signal.signal(signal.SIGINT, signal.default_int_handler)
        job = FeatureJob(spark, music_dir, settings)
        if watch:
            job.watch(refit=refit, retry_failed=retry_failed)
        report = job.run(refit=refit, retry_failed=retry_failed)
        click.echo(report.to_json())
    except SegueError as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:  # the way to end watching; tasks have committed their own
        _say("stopped; the next run goes on where this one stood")
        sys.exit(0 if watch else _INTERRUPTED)
    finally:
        if spark is not None:
            with suppress(Exception):  # an interrupted call may have left it unusable
                spark.stop()


if __name__ == "__main__":
    main()
