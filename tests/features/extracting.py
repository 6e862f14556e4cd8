"""Extraction without Spark: the same function that a Spark task runs, on a table."""

import math
import multiprocessing
import resource
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from features.plan import HashedFile
from features.spec import FeatureSpec
from features.table import (
    BLOCKS,
    TableWriter,
    hold_table,
    read_failures,
    read_tracks,
)
from features.worker import extract_files
from segue.catalog import content_sha256
from segue.clock import fixed_clock
from segue.settings import FeatureSettings
from tests.features.tables import START

Rows = dict[str, dict[str, Any]]


def extract(
    files: Iterable[HashedFile], table: Path, settings: FeatureSettings | None = None
) -> Rows:
    """Return the row of each file by path: of a track, or of a failure."""
    files = list(files)
    with hold_table(table, "b"):
        done = extract_files(
            files,
            TableWriter(table, "b", "p"),
            fixed_clock(START),
            FeatureSpec(),
            settings or FeatureSettings(),
        )
    rows = rows_of(table)
    assert (done.n_files, len(rows)) == (len(files), len(files))
    assert done.n_failed == sum("stage" in row for row in rows.values())
    return rows


def rows_of(table: Path) -> Rows:
    """Return the rows of a table by path, and see that each is whole."""
    tracks, failures = read_tracks(table).to_pylist(), read_failures(table).to_pylist()
    for track in tracks:
        numbers = [number for name in BLOCKS for number in track[name]]
        assert all(map(math.isfinite, numbers))
        assert track["duration_s"] > 0
    for failure in failures:
        assert failure["stage"]
        assert failure["error_class"]
        assert failure["message"]
    rows = {row["path"]: row for row in (*tracks, *failures)}
    assert len(rows) == len(tracks) + len(failures)
    return rows


def extract_measured(paths: Iterable[Path], table: Path) -> tuple[float, float]:
    """Extract in a fresh process, each file into a table of its own below `table`.

    Returns
    -------
    slowest_s : float
        Seconds of the slowest file.
    peak_mb : float
        Most memory of a process that read a file, decoders included.
    """
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context) as fresh:
        return fresh.submit(_extract_each, list(paths), table).result()


def _extract_each(paths: list[Path], table: Path) -> tuple[float, float]:
    slowest_s = 0.0
    for number, path in enumerate(paths):
        start = time.monotonic()
        extract([hashed(path)], table / str(number))
        slowest_s = max(slowest_s, time.monotonic() - start)
    peak_kb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return slowest_s, peak_kb / 1024


def hashed(path: Path) -> HashedFile:
    """Return what a build knows of a file before it extracts it."""
    status = path.stat() if path.exists() else None
    size, mtime_ns = (status.st_size, status.st_mtime_ns) if status else (0, 0)
    sha256 = content_sha256(path) if path.is_file() else "0" * 64
    return HashedFile(str(path), size, mtime_ns, sha256)
