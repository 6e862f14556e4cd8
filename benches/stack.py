"""Kafka, MongoDB and the streaming job of a home of its own, for a measurement."""

import os
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import click
import numpy as np
import psutil
from numpy.typing import NDArray
from pymongo.database import Database

from segue import store
from segue.errors import StreamError
from segue.services import kafka, mongo, process
from segue.services.jars import resolve_jars
from segue.services.java import find_java
from segue.services.topics import ensure_topics
from segue.settings import Settings, load_settings, to_environment
from segue.track_index import TrackIndex, create_track_index, write_track_index

_ROOT: Final = Path(__file__).resolve().parent.parent
_STREAM: Final = "stream"
_N_DIMS: Final = 50
_N_CLUSTERS: Final = 200
_SPREAD: Final = 0.6


@contextmanager
def stack(sections: Mapping[str, Mapping[str, Any]] | None = None) -> Iterator["Stack"]:
    """Run a broker and a mongod of their own, on free ports; end all at the end.

    Parameters
    ----------
    sections : mapping, optional
        Settings beyond the defaults, by section.
    """
    asked = load_settings(os.environ)
    java = find_java(asked.spark.java_home)
    resolve_jars(_ROOT / "var", java, say, asked.spark.ivy_settings)
    with tempfile.TemporaryDirectory(prefix="segue-bench-") as folder:
        home = Path(folder)
        (home / "jars").symlink_to(_ROOT / "var" / "jars")
        try:
            bootstrap = kafka.wait(kafka.launch(home, 0, java))
            uri = mongo.wait(mongo.launch(home, 0))
            ours: dict[str, dict[str, Any]] = {
                "kafka": {"bootstrap": bootstrap, "timeout_ms": 30_000},
                "mongo": {"uri": uri},
                "spark": asked.spark.model_dump(),
            }
            for name, section in (sections or {}).items():
                ours.setdefault(name, {}).update(section)
            settings = Settings.model_validate({"home": home, **ours})
            ensure_topics(settings, say)
            with closing(store.connect(settings.mongo).client) as client:
                yield Stack(settings, client[settings.mongo.database])
        finally:
            for name in reversed(process.names(home)):
                process.stop(home, name)


class Stack:
    """What runs, and how to reach it."""

    def __init__(self, settings: Settings, database: Database[store.Document]) -> None:
        self.settings, self.database = settings, database

    def start_stream(self) -> None:
        """Start the streaming job."""
        environment = {**os.environ, **to_environment(self.settings)}
        argv = [sys.executable, "-m", "segue", "stream"]
        process.start(self.settings.home, _STREAM, argv, environment)

    def stop_stream(self) -> None:
        """End the streaming job."""
        process.stop(self.settings.home, _STREAM)

    def stream_pid(self) -> int:
        """Return the process that leads the streaming job."""
        return self._running().pid

    def processes(self) -> dict[str, list[psutil.Process]]:
        """Return what runs: `broker`, `mongod`, and of the job `jvm`, `workers`."""
        found: dict[str, list[psutil.Process]] = defaultdict(list)
        for name, role in ((kafka.NAME, "broker"), (mongo.NAME, "mongod")):
            child = process.find(self.settings.home, name)
            if child is not None:
                found[role].append(psutil.Process(child.pid))
        job = process.find(self.settings.home, _STREAM)
        for each in [] if job is None else _family(job.pid):
            with suppress(psutil.Error):  # helpers come and go
                found[_role(each)].append(each)
        return dict(found)

    def kill_workers(self) -> int:
        """Send SIGKILL to the job's Python workers; return how many there were."""
        job = psutil.Process(self.stream_pid()).children(recursive=True)
        workers = list(filter(_is_worker, job))
        for worker in workers:
            worker.kill()
        return len(workers)

    def wait_for(self, what: str, limit_s: float, look: Callable[[], bool]) -> None:
        """Look again and again until it is so.

        Raises
        ------
        StreamError
            When it is not after `limit_s`, or the job has ended.
        """
        deadline = time.monotonic() + limit_s
        while not look():
            self._running()
            if time.monotonic() > deadline:
                raise StreamError(f"no {what} after {limit_s:g} s")
            time.sleep(0.05)

    def _running(self) -> process.Child:
        child = process.find(self.settings.home, _STREAM)
        if child is None:
            raise StreamError("the streaming job was not started")
        if not child.is_running:
            raise StreamError(f"the streaming job ended:\n{process.log_tail(child)}")
        return child


def _family(pid: int) -> list[psutil.Process]:
    with suppress(psutil.Error):
        leader = psutil.Process(pid)
        return [leader, *leader.children(recursive=True)]
    return []


def _role(process: psutil.Process) -> str:
    if process.name() == "java":
        return "jvm"
    return "workers" if "pyspark.daemon" in process.cmdline() else "driver"


def _is_worker(process: psutil.Process) -> bool:
    with suppress(psutil.Error):  # helpers of the JVM come and go
        parent = process.parent()
        is_forked = parent is not None and parent.name() != "java"
        return is_forked and "pyspark.daemon" in process.cmdline()
    return False


def write_index(home: Path, n_tracks: int, rng: np.random.Generator) -> TrackIndex:
    """Write an index of `n_tracks` made-up tracks in clusters."""
    index = create_bench_index(n_tracks, rng)
    write_track_index(home / "index", index)
    return index


def create_bench_index(
    n_tracks: int, rng: np.random.Generator, n_clusters: int = _N_CLUSTERS
) -> TrackIndex:
    """Return an index of `n_tracks` made-up tracks in clusters."""
    centres = rng.normal(size=(n_clusters, _N_DIMS))
    vectors = centres[rng.integers(n_clusters, size=n_tracks)]
    vectors = vectors + rng.normal(scale=_SPREAD, size=vectors.shape)
    ids = [f"t{number:07d}" for number in range(n_tracks)]
    scales = rng.uniform(0.7, 1.4, n_tracks).astype(np.float32)
    return create_track_index(f"bench{n_tracks}", ids, unit_rows(vectors), scales)


def unit_rows(vectors: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the rows at length 1."""
    rows = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(rows, dtype=np.float32)


def say(line: str) -> None:
    """Tell what is going on, beside the answer."""
    click.echo(line, err=True)
