"""The streaming job as a process of its own, as `segue stream` runs it."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from segue import store
from segue.services import process
from segue.settings import Settings, to_environment
from streaming.panes import COUNTS

NAME = "stream"
READY_S = 300.0


class StreamingJob:
    """Starts, kills and waits for the streaming job of one home."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.database: Database[store.Document] = store.connect(settings.mongo)

    def start(self) -> None:
        environment = {**os.environ, **to_environment(self.settings)}
        argv = [sys.executable, "-m", "segue", "stream"]
        process.start(self.settings.home, NAME, argv, environment)

    def kill(self) -> None:
        """Send SIGKILL to the whole job: JVM, driver and workers."""
        process.kill(self.settings.home, NAME)

    def stop(self) -> None:
        process.stop(self.settings.home, NAME)

    def wait_for(self, what: str, look: Callable[[], Any]) -> Any:
        deadline = time.monotonic() + READY_S
        while not (seen := look()):
            child = process.find(self.settings.home, NAME)
            assert child is not None
            assert child.is_running, f"the job died:\n{process.log_tail(child)}"
            assert time.monotonic() < deadline, f"no {what} after {READY_S} s"
            time.sleep(0.05)
        return seen

    def wait_until_all_counted(self, n_messages: int) -> None:
        """Wait until intake and panes account for every message."""
        self.wait_for(
            f"account of {n_messages} messages", lambda: self.n_counted() >= n_messages
        )

    def n_counted(self) -> int:
        """Return for how many messages both queries together account."""
        counts = list(self.database[store.REJECTED_COUNTS].find())
        refused = sum(c["n_late"] + sum(c["rejected"].values()) for c in counts)
        panes = sum(
            sum(pane[name] for name in COUNTS)
            for pane in self.database[store.TASTE_WINDOWS].find()
        )
        read: int = sum(count["n_read"] for count in counts)
        accounted: int = refused + panes
        return min(read, accounted)


@pytest.fixture
def streaming_job(jars: Path) -> Iterator[Callable[[Settings], StreamingJob]]:
    jobs: list[StreamingJob] = []

    def make(settings: Settings) -> StreamingJob:
        settings.home.mkdir(parents=True, exist_ok=True)
        (settings.home / "jars").symlink_to(jars)
        job = StreamingJob(settings)
        jobs.append(job)
        return job

    yield make
    for job in jobs:
        for name in reversed(process.names(job.settings.home)):
            process.stop(job.settings.home, name)
        job.database.client.close()
