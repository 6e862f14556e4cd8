"""Builds: folders that never change once they are whole, and which is the current one.

A build lies below its folder under the name of its version. The file `CURRENT` names
one and is swapped in one step, so that a reader sees a whole build or the one before.
"""

import fcntl
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from segue.files import write_atomically

_POINTER: Final = "CURRENT"
_LOCK: Final = "_LOCK"
# a batch of the stream may wait long for MongoDB before it opens its build
_KEPT_S: Final = 3600.0


def current_version(folder: Path) -> str | None:
    """Return the name of the current build below `folder`, None where there is none."""
    try:
        return (folder / _POINTER).read_text("utf-8", errors="replace").strip()
    except FileNotFoundError:
        return None


def make_current(folder: Path, version: str) -> None:
    """Let readers take this build from now on."""
    with write_atomically(folder / _POINTER) as file:
        file.write(version.encode())


def builds_of(folder: Path) -> list[Path]:
    """Return the folders of all builds, the newest last."""
    if not folder.is_dir():
        return []
    found = []
    for path in folder.iterdir():
        with suppress(FileNotFoundError):  # it goes while one looks
            if path.is_dir() and not path.name.startswith("."):
                found.append((path.stat().st_mtime_ns, path))
    return [path for _, path in sorted(found)]


def prune(folder: Path, n_kept: int) -> None:
    """Take old builds away: all but the newest, the current one, and young ones.

    Readers may still have those open.
    """
    current, oldest_s = current_version(folder), time.time() - _KEPT_S
    for build in builds_of(folder)[:-n_kept]:
        with suppress(FileNotFoundError):
            if build.name == current or build.stat().st_mtime >= oldest_s:
                continue
            shutil.rmtree(build, ignore_errors=True)


@contextmanager
def hold(folder: Path) -> Iterator[None]:
    """Hold `folder` for one writer, from reading what is there to the new pointer."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / _LOCK).open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
