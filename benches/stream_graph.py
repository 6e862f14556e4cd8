"""The graph of a large index, beside looking at each track."""

import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from benches.stack import create_bench_index, unit_rows
from models.nearest import nearest_rows
from segue.track_index import (
    TrackIndex,
    create_track_index,
    read_track_index,
    write_track_index,
)

_N_QUERIES: Final = 200
_K: Final = 96
_ROUNDS: Final = 3
_N_NEW: Final = 100


def measure_graph(sizes: tuple[int, ...]) -> dict[str, Any]:
    """Return for each size what the graph costs, finds and saves."""
    rng = np.random.default_rng(8)
    points = [_point(size, rng) for size in tqdm(sizes, "graph", file=sys.stderr)]
    return {"graph": points}


def _point(n_tracks: int, rng: np.random.Generator) -> dict[str, Any]:
    made = create_bench_index(n_tracks + _N_NEW, rng)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        build_s = _written_s(folder, _first(made, n_tracks), "first")
        grow_s = _written_s(folder, made, "grown")
        index = read_track_index(folder)
        n_bytes = (folder / "grown" / "graph.usearch").stat().st_size
        near = index.vectors[rng.integers(n_tracks, size=_N_QUERIES)]
        queries = unit_rows(near + 0.1 * rng.normal(size=near.shape))
        with threadpool_limits(1):
            exact, exact_s = _best(replace(index, graph=None), queries)
            found, graph_s = _best(index, queries)
    return {
        "n_tracks": n_tracks,
        "build_s": round(build_s, 1),
        "grow_s": round(grow_s, 2),
        "mb": round(n_bytes / 1e6),
        "exact_ms": round(exact_s / _N_QUERIES * 1e3, 3),
        "graph_ms": round(graph_s / _N_QUERIES * 1e3, 3),
        "recall": _recall(found, exact),
        "recall_of_20": _recall(found[:, :20], exact[:, :20]),
    }


def _first(index: TrackIndex, n: int) -> TrackIndex:
    ids, vectors = index.track_ids[:n], index.vectors[:n]
    return create_track_index("first", ids, vectors, index.scales[:n])


def _written_s(folder: Path, index: TrackIndex, version: str) -> float:
    start = time.perf_counter()
    write_track_index(folder, replace(index, version=version), exact_tracks=1)
    return time.perf_counter() - start


def _best(
    index: TrackIndex, queries: NDArray[np.float32]
) -> tuple[NDArray[np.int32], float]:
    """Return what is found, and the least time it took."""
    best_s, nothing = np.inf, [np.empty(0, dtype=np.int32)] * len(queries)
    for _ in range(_ROUNDS):
        start = time.perf_counter()
        rows = nearest_rows(queries, index, _K, nothing)
        best_s = min(best_s, time.perf_counter() - start)
    return rows, best_s


def _recall(found: NDArray[np.int32], exact: NDArray[np.int32]) -> float:
    n_common = sum(len(set(a) & set(b)) for a, b in zip(found, exact, strict=True))
    return round(n_common / exact.size, 4)
