"""The Spark side of a build: list, hash, plan, extract, append.

Nothing is decided here: `features.plan` says what is new, `features.worker` what a
file gives. Rows are committed every `files_per_commit` files, so that a killed build
goes on where it was; a run over the same library adds nothing.
"""

import fcntl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.functions import col
from tqdm import tqdm

from features.plan import BuildSummary, HashedFile, plan_build
from features.progress import progress_bar, task_progress
from features.spec import FeatureSpec
from features.table import (
    FAILURE_COLUMNS,
    FAILURES,
    TRACK_COLUMNS,
    TRACKS,
    read_hopeless,
    read_known,
    spark_schema,
)
from features.worker import (
    HASH_COLUMNS,
    RESULT_COLUMNS,
    BatchFunction,
    extract_files,
    hash_files,
    printable,
)
from segue.catalog import iter_audio_files
from segue.clock import Clock
from segue.errors import LibraryError
from segue.settings import FeatureSettings

_HASH_TASKS_PER_CORE: Final = 8
_UNREAD: Final = "read"


@dataclass(frozen=True, slots=True)
class Failure:
    """A file without features, and why."""

    path: str
    message: str


@dataclass(frozen=True, slots=True)
class TableBuilder:
    """Brings a feature table up to date with a music folder.

    Attributes
    ----------
    spark : SparkSession
        Its workers must see the music and `folder` under the same paths.
    folder : Path
        The table, from :func:`features.table.table_folder`.
    report : callable
        Takes one line for each file that failed.
    """

    spark: SparkSession
    folder: Path
    spec: FeatureSpec
    settings: FeatureSettings
    clock: Clock
    report: Callable[[str], None]

    def build(self, music: Path) -> tuple[BuildSummary, frozenset[str]]:
        """Add what is new below `music`; a second run adds nothing.

        Returns
        -------
        summary : BuildSummary
        contents : frozenset of str
            SHA-256 of each file that could be read.

        Raises
        ------
        LibraryError
            When `music` is no folder, or another build writes to the same table.
        """
        paths = [str(path) for path in iter_audio_files(music)]
        self.folder.mkdir(parents=True, exist_ok=True)
        with _only_writer(self.folder):
            files, unread = self._hash(paths)
            known, hopeless = read_known(self.folder), read_hopeless(self.folder)
            plan = plan_build(files, known, hopeless)
            failures = self._extract(plan.pending)
        for failure in [*unread, *failures]:
            self.report(f"no features from {failure.path!r}: {failure.message}")
        summary = BuildSummary(
            found=len(paths),
            new=len(plan.pending) - len(failures),
            known=plan.n_known,
            duplicate=plan.n_duplicate,
            failed=len(failures) + len(unread),
            known_failures=plan.n_known_failures,
        )
        return summary, frozenset(file.content_sha256 for file in files)

    def _hash(self, paths: Sequence[str]) -> tuple[list[HashedFile], list[Failure]]:
        if not paths:
            return [], []
        cores = self.spark.sparkContext.defaultParallelism
        n_tasks = min(len(paths), _HASH_TASKS_PER_CORE * cores)
        hashes = self._map(hash_files(paths), len(paths), n_tasks, HASH_COLUMNS)
        with (
            progress_bar(paths, "hashing", "file") as bar,
            task_progress(self.spark.sparkContext, bar, n_tasks, len(paths)),
        ):
            rows = sorted(hashes.collect())
        unread = [Failure(paths[row], why) for row, _, why in rows if why is not None]
        self._append_unread(unread)
        return [HashedFile(paths[row], sha) for row, sha, why in rows if sha], unread

    def _extract(self, pending: Sequence[HashedFile]) -> list[Failure]:
        size, failures = self.settings.files_per_commit, list[Failure]()
        with progress_bar(pending, "features", "track") as bar:
            for start in range(0, len(pending), size):
                failures += self._extract_chunk(pending[start : start + size], bar)
        return failures

    def _extract_chunk(
        self, files: Sequence[HashedFile], bar: "tqdm[Any]"
    ) -> list[Failure]:
        """Extract and commit some files, a task each, so that work spreads."""
        extract = extract_files(files, self.spec, self.clock, self.settings)
        results = self._map(extract, len(files), len(files), RESULT_COLUMNS)
        results.persist(StorageLevel.DISK_ONLY)
        failed, context = col("stage").isNotNull(), self.spark.sparkContext
        with task_progress(context, bar, len(files), len(files)):
            rows = results.where(failed).select("path", "message").collect()
        failures = [Failure(row.path, row.message) for row in rows]
        self._append(results.where(failed), FAILURES, len(failures))
        self._append(results.where(~failed), TRACKS, len(files) - len(failures))
        results.unpersist()
        return failures

    def _map(
        self,
        function: BatchFunction,
        n_rows: int,
        n_tasks: int,
        columns: dict[str, str],
    ) -> DataFrame:
        rows = self.spark.range(0, n_rows, 1, n_tasks)
        return rows.mapInArrow(function, spark_schema(columns))

    def _append_unread(self, unread: Sequence[Failure]) -> None:
        now = self.clock()
        rows = [
            (printable(f.path), None, _UNREAD, "OSError", f.message, now, True)
            for f in unread
        ]
        if rows:
            frame = self.spark.createDataFrame(rows, spark_schema(FAILURE_COLUMNS))
            self._append(frame, FAILURES, len(rows))

    def _append(self, rows: DataFrame, name: str, n_rows: int) -> None:
        columns = TRACK_COLUMNS if name == TRACKS else FAILURE_COLUMNS
        if n_rows:
            target = f"file://{(self.folder / name).resolve()}"
            rows.select(*columns).coalesce(1).write.mode("append").parquet(target)


@contextmanager
def _only_writer(folder: Path) -> Iterator[None]:
    with (folder / "_LOCK").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LibraryError(
                f"another build writes to {folder}; wait until it has ended"
            ) from None
        yield
