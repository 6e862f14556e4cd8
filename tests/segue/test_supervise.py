"""What a supervised job is told, with real processes in the place of JVM and driver."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from segue.supervise import Passing

JVM = "import subprocess, sys; sys.exit(subprocess.run(sys.argv[1:]).returncode)"
DRIVER = """
import pathlib, signal, sys, time
told = pathlib.Path(sys.argv[1])
def end(*_):
    told.write_text("told")
    if {is_obedient}:
        sys.exit(7)
signal.signal(signal.SIGTERM, end)
told.with_name("ready").write_text("ready")
time.sleep(60)
"""


class Job:
    """A process that started another, as the JVM starts the driver program."""

    def __init__(self, folder: Path, *, is_obedient: bool) -> None:
        program = folder / "streaming" / "job.py"
        program.parent.mkdir()
        program.write_text(DRIVER.format(is_obedient=is_obedient))
        argv = [sys.executable, "-c", JVM, sys.executable, str(program)]
        self.told, self.said = folder / "told", list[str]()
        self.process = subprocess.Popen([*argv, str(self.told)])
        self.passing = Passing(self.process.pid, "streaming/job.py", self.said.append)
        self.wait_for(folder / "ready")

    def wait_for(self, file: Path) -> None:
        deadline = time.monotonic() + 20
        while not file.exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def tell(self) -> None:
        self.passing.told(signal.SIGTERM, None)

    def end(self) -> None:
        self.passing.end()
        with suppress(psutil.NoSuchProcess):
            for child in psutil.Process(self.process.pid).children():
                child.kill()
        self.process.kill()
        self.process.wait()


@pytest.fixture
def obedient(tmp_path: Path) -> Iterator[Job]:
    job = Job(tmp_path, is_obedient=True)
    yield job
    job.end()


@pytest.fixture
def stubborn(tmp_path: Path) -> Iterator[Job]:
    job = Job(tmp_path, is_obedient=False)
    yield job
    job.end()


def test_the_driver_is_told_and_its_status_is_the_jobs(obedient: Job) -> None:
    obedient.tell()
    assert obedient.process.wait(20) == 7
    assert obedient.told.exists()
    assert "once more" in obedient.said[0]


def test_told_twice_all_ends_at_once(stubborn: Job) -> None:
    driver = psutil.Process(stubborn.process.pid).children()[0]
    stubborn.tell()
    stubborn.wait_for(stubborn.told)
    assert stubborn.process.poll() is None
    stubborn.tell()
    assert stubborn.process.wait(20) == -signal.SIGTERM
    driver.kill()


def test_a_job_without_driver_yet_ends_at_once(obedient: Job) -> None:
    obedient.passing = Passing(obedient.process.pid, "other.py", obedient.said.append)
    driver = psutil.Process(obedient.process.pid).children()[0]
    obedient.tell()
    assert obedient.process.wait(20) == -signal.SIGTERM
    driver.kill()
