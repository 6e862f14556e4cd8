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

    As `top_rows`, which answers where the index has no graph, and for a query of which
    more than half of what the graph finds is excluded, or has left the index.
    """
    graph = index.graph
    if graph is None:
        return top_rows(queries, index, k, excluded)
    beam = max(_BEAM, _BEAM_PER_PLACE * k)
    rows = np.full((len(queries), k), -1, dtype=np.int32)
    far = list[int]()
    for n, found in enumerate(graph.near(queries, beam)):
        usable = found[found >= 0]
        if len(excluded[n]):
            usable = usable[~np.isin(usable, excluded[n])]
        if len(usable) < beam // 2:
            far.append(n)
        else:
            rows[n] = _best(queries[n], usable, index, k)
    if far:
        rows[far] = top_rows(queries[far], index, k, [excluded[n] for n in far])
    return rows


def _best(query: NDArray[np.float32], rows: Rows, index: TrackIndex, k: int) -> Rows:
    scores = (index.vectors[rows] @ query - 1) / index.scales[rows]
    return rows[np.lexsort((rows, -scores))[:k]]
