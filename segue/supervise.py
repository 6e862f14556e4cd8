"""A Spark job that runs on and on, and ends after its batch when it is told to.

The JVM of `spark-submit` would drop everything at the first signal. So it runs in a
process group of its own, where Ctrl-C does not reach it, and this process passes what
it is told on to the job's driver program, which lets the batch end.
"""

import signal
import subprocess
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

import psutil

from segue.settings import Settings
from segue.submit import JOBS, Report, prepare_job

_GRACE_S: Final = 60.0
# a terminal that is closed sends the third
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_KILLED: Final = 128


def supervise_job(
    settings: Settings, job: str, args: Sequence[str], report: Report
) -> int:
    """Run the job until it ends; return its exit status.

    The first SIGINT, SIGTERM or SIGHUP lets it end after its batch, within a minute;
    the second ends it at once. To be called in the main thread; parameters as in
    `exec_job`.

    Raises
    ------
    SegueError
        When something that the job needs is missing.
    """
    argv, env = prepare_job(settings, job, args, report)
    child = subprocess.Popen(  # noqa: S603 - our own command line
        argv, env=env, stdin=subprocess.DEVNULL, process_group=0
    )
    passing = Passing(child.pid, JOBS[job].file, report)
    before = {number: signal.signal(number, passing.told) for number in _SIGNALS}
    try:
        status = child.wait()
    finally:
        passing.end()
        for number, handler in before.items():
            signal.signal(number, handler)
    return status if status >= 0 else _KILLED - status


class Passing:
    """Passes what this process is told on to the driver program of a job."""

    def __init__(self, jvm_pid: int, program: str, report: Report) -> None:
        self._jvm_pid, self._program, self._report = jvm_pid, program, report
        self._timer: threading.Timer | None = None

    def told(self, _number: int, _frame: Any) -> None:
        """Let the driver end, or all at once where it was told before."""
        driver = self._driver()
        if self._timer is not None or driver is None:
            self._end_all()
            return
        self._timer = threading.Timer(_GRACE_S, self._end_all)
        self._timer.daemon = True
        self._timer.start()
        with suppress(psutil.NoSuchProcess):
            driver.terminate()
        with suppress(OSError):  # the terminal may be gone
            self._report("ending after the batch; once more to end at once")

    def end(self) -> None:
        """Do nothing any more."""
        if self._timer is not None:
            self._timer.cancel()

    def _driver(self) -> psutil.Process | None:
        try:
            children = psutil.Process(self._jvm_pid).children()
        except psutil.NoSuchProcess:
            return None
        return next(filter(self._is_driver, children), None)

    def _is_driver(self, process: psutil.Process) -> bool:
        with suppress(psutil.Error):  # Spark's short helpers come and go
            return any(part.endswith(self._program) for part in process.cmdline())
        return False

    def _end_all(self) -> None:
        with suppress(psutil.NoSuchProcess):
            psutil.Process(self._jvm_pid).terminate()
