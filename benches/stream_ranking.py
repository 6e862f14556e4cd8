"""The search for the nearest tracks, beside the bare matrix product."""

import sys
import time
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from benches.stack import create_bench_index, unit_rows
from models.candidates import top_rows

_N_LISTENERS: Final = 500
_K: Final = 50
_ROUNDS: Final = 7
_SIZES: Final = {100_000: "rank_over_matmul", 1_000_000: "rank_over_matmul_1m"}


def measure_ranking() -> dict[str, Any]:
    """Return how many times as long as the product the search takes, by size."""
    rng = np.random.default_rng(8)
    answer: dict[str, Any] = {}
    for n_tracks, name in tqdm(_SIZES.items(), "ranking", file=sys.stderr):
        index = create_bench_index(n_tracks, rng)
        near = index.vectors[rng.integers(n_tracks, size=_N_LISTENERS)]
        queries = unit_rows(near + 0.1 * rng.normal(size=near.shape))
        vectors = index.vectors
        ways: tuple[Callable[[], Any], ...] = (
            lambda queries=queries, vectors=vectors: queries @ vectors.T,  # type: ignore[misc]
            lambda queries=queries, index=index: top_rows(queries, index, _K),  # type: ignore[misc]
        )
        with threadpool_limits(1):
            bare_s, ours_s = _best_s(*ways)
        answer[name] = round(ours_s / bare_s, 3)
        answer[f"{name}_s"] = [round(bare_s, 4), round(ours_s, 4)]
    return answer


def _best_s(*ways: Callable[[], Any]) -> list[float]:
    """Return the least time of each way, taken in turns."""
    best = [np.inf] * len(ways)
    for _ in range(_ROUNDS):
        for n, way in enumerate(ways):
            start = time.perf_counter()
            way()
            best[n] = min(best[n], time.perf_counter() - start)
    return best
