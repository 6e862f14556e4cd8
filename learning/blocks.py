"""What is near to each track, found by a task for each block of tracks."""

import math
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyspark.sql import SparkSession

from segue.trained_model import Neighbours

_TRACKS_PER_TASK: Final = 10_000

Find = Callable[[int, int], Neighbours]
"""Returns what is near to the tracks from one row to before another."""


def find_in_blocks(
    spark: SparkSession, n_tracks: int, n_near: int, find: Find
) -> Neighbours:
    """Return what `find` finds for all tracks.

    Parameters
    ----------
    n_near : int
        How many `find` returns for a track.
    find : callable
        Is called in the workers, which read what they need.
    """
    n_tasks = max(
        spark.sparkContext.defaultParallelism, math.ceil(n_tracks / _TRACKS_PER_TASK)
    )
    bounds = np.linspace(0, n_tracks, min(n_tasks, n_tracks) + 1).astype(int).tolist()
    blocks = spark.createDataFrame(
        list(pairwise(bounds)), "first int, last int"
    ).repartitionByRange(len(bounds) - 1, "first")
    found = blocks.mapInArrow(
        _finding(find), "track int, near array<int>, likeness array<float>"
    ).toArrow()
    order = np.argsort(found["track"].to_numpy())
    return Neighbours(
        _square(found["near"], n_near)[order], _square(found["likeness"], n_near)[order]
    )


def _finding(
    find: Find,
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    def step(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for block in batch.to_pylist():
                first, last = block["first"], block["last"]
                found = find(first, last)
                columns = {
                    "track": pa.array(np.arange(first, last, dtype=np.int32)),
                    "near": _lists(found.rows),
                    "likeness": _lists(found.likeness),
                }
                yield pa.RecordBatch.from_pydict(columns)

    return step


def _lists(array: NDArray[Any]) -> pa.Array:
    n, width = array.shape
    ends = np.arange(0, (n + 1) * width, width, dtype=np.int32)
    return pa.ListArray.from_arrays(pa.array(ends), pa.array(array.reshape(-1)))


def _square(column: pa.ChunkedArray, width: int) -> NDArray[Any]:
    flat = column.combine_chunks().flatten().to_numpy()
    return np.asarray(flat.reshape(-1, width))
