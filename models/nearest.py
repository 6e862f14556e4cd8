"""The nearest tracks of many points: each looked at, or by the graph of the index.

A graph only names candidates. Their scores are computed like all others, so that order
and ties are the same; what a graph may do is to miss one.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.candidates import top_rows
from segue.track_index import TrackIndex

Rows = NDArray[np.int32]

_BEAM: Final = 512
_BEAM_PER_PLACE: Final = 3


def nearest_rows(
    queries: NDArray[np.float32],
    index: TrackIndex,
    k: int,
    excluded: Sequence[Rows],
) -> Rows:
    """Return the `k` tracks of the highest score for each query.

    As `top_rows`, which answers where the index has no graph, and for a query that
    excludes much of what a graph would find.
    """
    graph = index.graph
    if graph is None:
        return top_rows(queries, index, k, excluded)
    beam = max(_BEAM, _BEAM_PER_PLACE * k)
    near, far = list[int](), list[int]()
    for n, out in enumerate(excluded):
        (far if len(out) > beam // 2 else near).append(n)
    rows = np.full((len(queries), k), -1, dtype=np.int32)
    if far:
        rows[far] = top_rows(queries[far], index, k, [excluded[n] for n in far])
    if near:
        found = graph.near(queries[near], beam)
        for n, candidates in zip(near, found, strict=True):
            usable = candidates[candidates >= 0]
            if len(excluded[n]):
                usable = usable[~np.isin(usable, excluded[n])]
            best = _best(queries[n], usable, index, k)
            rows[n, : len(best)] = best
    return rows


def _best(query: NDArray[np.float32], rows: Rows, index: TrackIndex, k: int) -> Rows:
    scores = (index.vectors[rows] @ query - 1) / index.scales[rows]
    return rows[np.lexsort((rows, -scores))[:k]]
