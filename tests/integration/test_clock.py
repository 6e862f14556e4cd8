"""Clocks that jump and come back: what each does to events, and that none is lost.

The services and the job run with a clock that a file sets (libfaketime); the listeners'
own clock is the sender's.
"""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import libfaketime
import numpy as np
import pytest

from benches.live_load import Sender
from benches.stack import Stack, create_bench_index, stack
from segue import store
from segue.clock import system_clock
from segue.track_index import write_track_index
from tests.integration.conftest import StreamingJob

pytestmark = [
    pytest.mark.kafka,
    pytest.mark.mongo,
    pytest.mark.spark,
    pytest.mark.slow,
]

RATE, N_LISTENERS = 40.0, 20
LIBRARY = Path(libfaketime.__file__).parent.joinpath(
    "vendor", "libfaketime", "src", "libfaketime.so.1"
)


@dataclass
class Clocks:
    """How far the clocks are from the true one, in minutes."""

    file: Path
    listeners: float = 0

    def set(self, machines: float, listeners: float) -> None:
        """Let services and job show one time, and the listeners another."""
        whole = self.file.with_suffix(".new")
        whole.write_text(f"{machines * 60:+.0f}\n")
        whole.replace(self.file)
        self.listeners = listeners

    def now(self) -> datetime:
        return system_clock() + timedelta(minutes=self.listeners)

    def environment(self) -> dict[str, str]:
        return {
            "LD_PRELOAD": str(LIBRARY),
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }


@pytest.fixture
def clocks(tmp_path: Path) -> Clocks:
    clocks = Clocks(tmp_path / "clock")
    clocks.set(0, 0)
    return clocks


@pytest.fixture
def own(jars: object, clocks: Clocks) -> Iterator[Stack]:
    """Services that show the time of `clocks`."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in clocks.environment().items():
            patch.setenv(name, value)
        with stack() as running:
            yield running


def test_clocks_that_jump_and_come_back_lose_nothing(
    own: Stack, clocks: Clocks
) -> None:
    rng = np.random.default_rng(4)
    index = create_bench_index(200, rng)
    write_track_index(own.settings.home / "index", index)
    sender = Sender(own.settings, index.track_ids, N_LISTENERS, rng, clocks.now)
    own.start_stream()
    job = StreamingJob(own.settings)

    def send(name: str) -> set[str]:
        """Send for a second; return the ids of what was sent."""
        n_before = len(sender.sent)
        sender.send(RATE, 1, name)
        job.wait_for("count", lambda: job.n_counted() >= len(sender.sent))
        return {each.event_id for each in sender.sent[n_before:]}

    with closing(job.database.client):
        send("before")
        clocks.set(20, 20)
        send("20 minutes ahead")
        clocks.set(0, 0)
        send("and back")
        clocks.set(60, 0)
        late = send("machines alone ahead")
        clocks.set(0, 0)
        send("and back")
        assert job.database[store.STREAM_PROGRESS].find_one({"_id": "taste"}), len(late)
