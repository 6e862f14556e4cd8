"""What is wrong, or odd, with the rows of a feature table."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.report_rows import ReportRows, title_of
from features.space import BLOCK_WEIGHTS

SILENT_DB: Final = -70.0
"""Highest level of a silent track: mean of its frames and one deviation, in dB of full
scale. A bell and a minute of silence is a silent track."""

DURATION_EDGES_S: Final = (0, 30, 60, 120, 180, 240, 300, 420, 600, 1200, 3600)
"""Lower edges of the classes of durations; the last has no upper one."""

# below this share of the mean a deviation is float32 rounding, not music
_FLAT: Final = 1e-6


@dataclass(frozen=True)
class BlockHealth:
    """A block of the table.

    Attributes
    ----------
    n_flat : int
        Dimensions that are the same for all tracks: they tell nothing.
    n_nonfinite : int
        Values that are no number.
    low, high : float
        Smallest and largest value; 0 where there is none.
    weight : float
        Of the block in the taste space.
    """

    name: str
    n_dims: int
    n_flat: int
    n_nonfinite: int
    low: float
    high: float
    weight: float


@dataclass(frozen=True)
class Copies:
    """Tracks of one recording: titles with their folders, and the largest duration."""

    tracks: tuple[tuple[str, str], ...]
    duration_s: float


@dataclass(frozen=True)
class FailureGroup:
    """Files that fail the same way, with one of them as an example.

    Attributes
    ----------
    n_files : int
        Files whose last try ended so.
    n_retry : int
        Those of them that a later build may try again.
    """

    stage: str
    error_class: str
    n_files: int
    n_retry: int
    example_title: str
    example_message: str


@dataclass(frozen=True)
class Audio:
    """What the files are: counts, largest first, and classes of duration."""

    total_h: float
    shortest_s: float
    median_s: float
    longest_s: float
    sample_rates: tuple[tuple[int, int], ...]
    channels: tuple[tuple[int, int], ...]
    durations: tuple[tuple[int, int], ...]


def check_blocks(blocks: Mapping[str, NDArray[np.float32]]) -> tuple[BlockHealth, ...]:
    """Look for flat dimensions and for values that are no numbers, block by block."""
    return tuple(_checked(name, matrix) for name, matrix in blocks.items())


def find_silent(rows: ReportRows) -> tuple[tuple[str, str], ...]:
    """Return title and folder of each track at or below `SILENT_DB`."""
    # music with long pauses has a low mean, too, but a large deviation
    silent = np.flatnonzero(rows.blocks["loudness"].sum(axis=1) <= SILENT_DB)
    return tuple((rows.titles[row], rows.folder_of(row)) for row in silent.tolist())


def find_copies(rows: ReportRows) -> tuple[Copies, ...]:
    """Return the recordings that are there more than once, most tracks first."""
    n_tracks = np.bincount(rows.recordings)
    tracks: dict[int, list[int]] = defaultdict(list)
    for row in np.flatnonzero(n_tracks[rows.recordings] > 1).tolist():
        tracks[int(rows.recordings[row])].append(row)
    copies = [
        Copies(
            tuple((rows.titles[row], rows.folder_of(row)) for row in group),
            float(rows.durations_s[group].max()),
        )
        for group in tracks.values()
    ]
    return tuple(sorted(copies, key=lambda each: (-len(each.tracks), each.tracks)))


def last_failures(failures: pa.Table, known: set[str]) -> list[dict[str, Any]]:
    """Return the last try of each content, or file, that still fails.

    Parameters
    ----------
    failures : Table
        From :func:`features.table.read_failures`: oldest first.
    known : set of str
        Contents that have features by now: they fail no more.
    """
    last: dict[str, dict[str, Any]] = {}
    for failure in failures.to_pylist():
        if failure["content_sha256"] not in known:
            last[failure["content_sha256"] or failure["path"]] = failure
    return list(last.values())


def group_failures(failures: pa.Table, known: set[str]) -> tuple[FailureGroup, ...]:
    """Return files that still fail by stage and class, most files first.

    Parameters
    ----------
    failures, known
        As of :func:`last_failures`.
    """
    groups: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for failure in last_failures(failures, known):
        groups[failure["stage"], failure["error_class"]].append(failure)
    found = [_failure_group(kind, files) for kind, files in groups.items()]
    return tuple(sorted(found, key=lambda group: (-group.n_files, group.stage)))


def describe_audio(rows: ReportRows) -> Audio:
    """Count sample rates, channels and durations."""
    durations_s = rows.durations_s
    classes = np.searchsorted(DURATION_EDGES_S, durations_s, side="right") - 1
    counts = np.bincount(np.maximum(classes, 0), minlength=len(DURATION_EDGES_S))
    return Audio(
        total_h=float(durations_s.sum() / 3600),
        shortest_s=float(durations_s.min()),
        median_s=float(np.median(durations_s)),
        longest_s=float(durations_s.max()),
        sample_rates=_counted(rows.sample_rates_hz),
        channels=_counted(rows.n_channels),
        durations=tuple(zip(DURATION_EDGES_S, counts.tolist(), strict=True)),
    )


def _checked(name: str, matrix: NDArray[np.float32]) -> BlockHealth:
    finite = np.isfinite(matrix)
    n_nonfinite = int(matrix.size - np.count_nonzero(finite))
    usable = matrix[finite.all(axis=1)] if n_nonfinite else matrix
    n_flat, low, high = matrix.shape[1], 0.0, 0.0
    if usable.size:
        mean = np.abs(usable.mean(axis=0, dtype=np.float64))
        deviation = usable.std(axis=0, dtype=np.float64)
        n_flat = int(np.count_nonzero(deviation <= _FLAT * np.maximum(1.0, mean)))
        low, high = float(usable.min()), float(usable.max())
    return BlockHealth(
        name=name,
        n_dims=matrix.shape[1],
        n_flat=n_flat,
        n_nonfinite=n_nonfinite,
        low=low,
        high=high,
        weight=BLOCK_WEIGHTS.get(name, 0.0),
    )


def _failure_group(kind: tuple[str, str], files: list[dict[str, Any]]) -> FailureGroup:
    return FailureGroup(
        stage=kind[0],
        error_class=kind[1],
        n_files=len(files),
        n_retry=sum(bool(file["retry"]) for file in files),
        example_title=title_of(files[-1]["path"]),
        example_message=files[-1]["message"],
    )


def _counted(numbers: NDArray[np.int64]) -> tuple[tuple[int, int], ...]:
    return tuple(Counter(numbers.tolist()).most_common())
