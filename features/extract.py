"""The Spark side of a build: list, hash, plan, extract; the workers append.

Nothing is decided here: `features.plan` says what is new, `features.worker` what a
file gives. Each task commits its own rows, so that a killed build goes on where it
was, and a long file holds nobody but itself.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Final
from uuid import uuid4

from pyspark.sql import SparkSession

from features.plan import (
    BuildSummary,
    File,
    FoundFile,
    plan_build,
    split_into_tasks,
    with_hashes,
)
from features.progress import following
from features.spec import FeatureSpec
from features.table import (
    TableWriter,
    hold_table,
    part_name,
    read_hopeless,
    read_known,
    read_stamps,
)
from features.worker import Done, extract_files, hash_files
from segue.catalog import iter_audio_files
from segue.clock import Clock
from segue.settings import FeatureSettings

MAX_TOLD: Final = 100
_HASH_ROUNDS: Final = 2
_EXTRACT_ROUNDS: Final = 6
TaskFunction = Callable[[Sequence[File], TableWriter], Done]


@dataclass(frozen=True, slots=True)
class Build:
    """What a build found and did.

    Attributes
    ----------
    contents : frozenset of str
        SHA-256 of each file; of one that is being written, or cannot be read at the
        moment, as it was last.
    n_unsettled : int
        Files that were left for later, since they may still be written to; they are
        not in the summary.
    n_in_music : int
        Files of the music folder itself, without those that were added.
    """

    summary: BuildSummary
    contents: frozenset[str]
    n_unsettled: int
    n_in_music: int


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
        Takes one line for each file that failed, and says when there are more.
    """

    spark: SparkSession
    folder: Path
    spec: FeatureSpec
    settings: FeatureSettings
    clock: Clock
    report: Callable[[str], None]

    def build(
        self,
        music: Path,
        retry_failed: bool = False,
        settle_s: float = 0.0,
        added: Iterable[Path] = (),
    ) -> Build:
        """Add what is new below `music` and `added`; a second run adds nothing.

        Parameters
        ----------
        retry_failed : bool
            Try again also what failed for good.
        settle_s : float
            Leave out files that changed less than this ago.

        Raises
        ------
        LibraryError
            When one of these is no folder, or another build writes to the same table.
        """
        lists = [[*iter_audio_files(folder)] for folder in (music, *added)]
        listed = list(_found(chain.from_iterable(lists)))
        youngest_ns = (self.clock().timestamp() - settle_s) * 1e9
        found = [file for file in listed if _is_settled(file, youngest_ns, settle_s)]
        build = uuid4().hex[:12]
        with hold_table(self.folder, build):
            _, unread = with_hashes(found, read_stamps(self.folder))
            hashing = partial(hash_files, clock=self.clock)
            unhashed = self._run("hashing", unread, hashing, build, _HASH_ROUNDS)
            stamps = read_stamps(self.folder)
            files, _ = with_hashes(found, stamps)
            plan = plan_build(files, *self._settled(retry_failed))
            extracting = partial(
                extract_files,
                clock=self.clock,
                spec=self.spec,
                settings=self.settings,
            )
            extracted = self._run(
                "features", plan.pending, extracting, build, _EXTRACT_ROUNDS
            )
        n_failed = sum(done.n_failed for done in extracted)
        self._tell([*unhashed, *extracted])
        summary = BuildSummary(
            found=len(found),
            new=len(plan.pending) - n_failed,
            known=plan.n_known,
            duplicate=plan.n_duplicate,
            failed=n_failed + len(found) - len(files),
            known_failures=plan.n_known_failures,
        )
        last = {path: sha256 for (path, _, _), sha256 in stamps.items()}
        last |= {file.path: file.content_sha256 for file in files}
        contents = frozenset(last[file.path] for file in listed if file.path in last)
        return Build(summary, contents, len(listed) - len(found), len(lists[0]))

    def _settled(self, retry_failed: bool) -> tuple[set[str], set[str]]:
        hopeless = set() if retry_failed else read_hopeless(self.folder)
        return read_known(self.folder), hopeless

    def _run(
        self,
        what: str,
        files: Sequence[File],
        function: TaskFunction[File],
        build: str,
        n_rounds: int,
    ) -> list[Done]:
        """Run `function` on the files, some of them a task; return what each did."""
        if not files:
            return []
        context, folder = self.spark.sparkContext, self.folder.resolve()
        tasks = split_into_tasks(
            files, context.defaultParallelism, self.settings.files_per_commit, n_rounds
        )

        n_files, n_bytes = context.accumulator(0), context.accumulator(0)

        def run(task: list[File]) -> Done:
            done = function(task, TableWriter(folder, build, part_name(task)))
            n_files.add(done.n_files)
            n_bytes.add(done.n_bytes)
            return done

        total_bytes = sum(file.size_bytes for file in files)
        with following(
            what, len(files), total_bytes, lambda: (n_files.value, n_bytes.value)
        ):
            # one partition a task, which carries only its own files
            return context.parallelize(tasks, len(tasks)).map(run).collect()

    def _tell(self, tasks: Iterable[Done]) -> None:
        tasks = list(tasks)
        told = [each for done in tasks for each in done.told][:MAX_TOLD]
        for path, message in told:
            self.report(f"no features from {path!r}: {message}")
        n_more = sum(done.n_failed for done in tasks) - len(told)
        if n_more:
            self.report(f"… and from {n_more} more; see {self.folder / 'failures'}")


def _found(paths: Iterable[Path]) -> Iterable[FoundFile]:
    for path in paths:
        try:
            status = path.stat()
        except FileNotFoundError:  # gone since it was listed
            continue
        except OSError:  # whoever opens it will say why it cannot be read
            yield FoundFile(str(path), 0, 0)
            continue
        yield FoundFile(str(path), status.st_size, status.st_mtime_ns)


def _is_settled(file: FoundFile, youngest_ns: float, settle_s: float) -> bool:
    # a time of change in the future says nothing: some other clock is wrong
    in_future_ns = youngest_ns + settle_s * 1e9
    return not youngest_ns < file.mtime_ns <= in_future_ns
