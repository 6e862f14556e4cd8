"""A progress bar that follows a running Spark job."""

import sys
import threading
from collections.abc import Iterator, Sized
from contextlib import contextmanager
from typing import Any, Final
from uuid import uuid4

from pyspark import SparkContext, StatusTracker
from tqdm import tqdm

Bar = tqdm  # of tasks done; one task is one or more files
_POLL_S: Final = 0.2
_REDRAW_IN_LOG_S: Final = 5.0


def progress_bar(what: Sized, description: str, unit: str) -> "tqdm[Any]":
    """Return a bar on standard error with rate and remaining time."""
    redraw_s = 0.1 if sys.stderr.isatty() else _REDRAW_IN_LOG_S
    return tqdm(
        total=len(what),
        desc=description,
        unit=unit,
        mininterval=redraw_s,
        maxinterval=redraw_s,
        dynamic_ncols=True,
    )


@contextmanager
def task_progress(
    context: SparkContext, bar: "tqdm[Any]", n_tasks: int, n_rows: int
) -> Iterator[None]:
    """Advance `bar` by `n_rows` while the `n_tasks` tasks started inside are done."""
    group = f"segue-{uuid4()}"
    context.setJobGroup(group, bar.desc)
    tracker, stop, start = context.statusTracker(), threading.Event(), bar.n

    def follow() -> None:
        while not stop.wait(_POLL_S):
            done = min(n_tasks, _n_tasks_done(tracker, group))
            bar.update(start + n_rows * done // n_tasks - bar.n)

    follower = threading.Thread(target=follow, daemon=True)
    follower.start()
    try:
        yield
        stop.set()
        follower.join()
        bar.update(start + n_rows - bar.n)
    finally:
        stop.set()
        follower.join()


def _n_tasks_done(tracker: StatusTracker, group: str) -> int:
    jobs = map(tracker.getJobInfo, tracker.getJobIdsForGroup(group))
    stages = [stage for job in jobs if job is not None for stage in job.stageIds]
    infos = map(tracker.getStageInfo, stages)
    return sum(info.numCompletedTasks for info in infos if info is not None)
