"""What the processes of a job take, as the kernel tells it."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil

_LOOK_S: Final = 0.2
_NAMED_AFTER_S: Final = 0.5
# job, JVM, Spark's daemon, its worker: what is below reads one file
READER_DEPTH: Final = 4


@dataclass(slots=True)
class Watch:
    """What was seen of the descendants of a job.

    Attributes
    ----------
    seen : dict
        Each process, with its depth below the job, 1 for its own children.
    peak_mb : dict
        Most memory of a process by depth, in MiB.
    slowest_s : float
        Greatest age of a process that reads a file.
    slowest_file : str, optional
        What that one had open, where it was seen.
    """

    seen: dict[psutil.Process, int] = field(default_factory=dict)
    peak_mb: dict[int, float] = field(default_factory=dict)
    slowest_s: float = 0.0
    slowest_file: str | None = None

    @property
    def reader_peak_mb(self) -> float:
        """Most memory of a process that reads a file, or decodes it for one."""
        peaks = (mb for depth, mb in self.peak_mb.items() if depth >= READER_DEPTH)
        return max(peaks, default=0.0)

    def left_behind(self) -> list[psutil.Process]:
        """Return the processes that are still there."""
        return [process for process in self.seen if process.is_running()]

    def look(self, root: psutil.Process, music: Path) -> None:
        """Take in the present state of all descendants of `root`."""
        depths = {root.pid: 0}
        for process in _below(root):
            with suppress(psutil.Error, OSError):
                depth = depths.get(process.ppid(), 0) + 1
                depths[process.pid] = depth
                self.seen[process] = depth
                peak_mb = _peak_mb(process.pid)
                self.peak_mb[depth] = max(self.peak_mb.get(depth, 0.0), peak_mb)
                if depth == READER_DEPTH:
                    self._look_at_reader(process, music)

    def _look_at_reader(self, process: psutil.Process, music: Path) -> None:
        age_s = time.time() - process.create_time()
        if age_s <= self.slowest_s:
            return
        self.slowest_s = age_s
        if age_s > _NAMED_AFTER_S:
            self.slowest_file = _file_of(process, music)


@contextmanager
def watching(pid: int, music: Path) -> Iterator[Watch]:
    """Watch all descendants of a process while the body runs."""
    watch, stop = Watch(), threading.Event()
    root = psutil.Process(pid)

    def follow() -> None:
        while not stop.wait(_LOOK_S):
            watch.look(root, music)

    follower = threading.Thread(target=follow, daemon=True)
    follower.start()
    try:
        yield watch
    finally:
        stop.set()
        follower.join()


def _below(root: psutil.Process) -> list[psutil.Process]:
    """Return all descendants, each after its parent."""
    try:
        return root.children(recursive=True)
    except psutil.Error:
        return []


def _file_of(reader: psutil.Process, music: Path) -> str | None:
    """Return the file of `music` that a process has open, or its decoder was given."""
    for process in (reader, *reader.children()):
        names = [*(file.path for file in process.open_files()), *process.cmdline()]
        for path in map(Path, names):
            if path.is_relative_to(music):
                return str(path.relative_to(music))
    return None


def _peak_mb(pid: int) -> float:
    """Return the most memory that a process ever held."""
    for line in Path(f"/proc/{pid}/status").read_text("ascii", "replace").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0  # it has ended, and waits for its parent
