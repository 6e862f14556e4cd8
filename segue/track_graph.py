"""The graph of a large track index: finds what is near without looking at each track.

The score of a track, ``(cosine - 1) / scale``, is an inner product, and a graph is made
for distances. So every track gets one more coordinate, by which all have one length:
then the highest inner product is the least distance (Bachrach et al., 2014, "Speeding
up the Xbox recommender system using a Euclidean transformation for inner-product
spaces").
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm
from usearch.index import BatchMatches, Index

from segue.files import replace_atomically, write_atomically

_GRAPH: Final = "graph.usearch"
_NODES: Final = "graph.npz"
_CONNECTIVITY: Final = 16
_BEAM_AT_ADDING: Final = 128
# a track that is added later may be longer than all before
_SPARE_LENGTH: Final = 1.1
_GONE_AT_MOST: Final = 0.2
_AT_ONCE: Final = 16_384

Vectors = NDArray[np.float32]
Rows = NDArray[np.int32]


@dataclass(frozen=True)
class TrackGraph:
    """Tracks of an index as nodes of a graph.

    Attributes
    ----------
    rows : ndarray, int32, shape (n_nodes,)
        Row of the index that a node stands for; -1 when its track left or moved.
    length : float
        Of all nodes.
    path : Path
        The file of `nodes`, which is mapped.
    """

    nodes: Index
    rows: Rows
    length: float
    path: Path

    def near(self, queries: Vectors, beam: int) -> Rows:
        """Return the rows of tracks that are near to each query, in no exact order.

        Parameters
        ----------
        queries : ndarray, float32, shape (n, n_dims)
        beam : int
            Nodes that are kept in view; more find more of the nearest.

        Returns
        -------
        ndarray, int32, shape (n, beam)
            -1 where a node stands for none.
        """
        n = len(queries)
        lifted = np.zeros((n, self.nodes.ndim), dtype=np.float32)
        lifted[:, :-2], lifted[:, -2] = queries, 1
        found = self.nodes.search(lifted, beam, threads=1)
        # of one query, it comes in another form
        counts = found.counts if isinstance(found, BatchMatches) else [len(found)]
        rows = np.full((n, beam), -1, dtype=np.int32)
        for q, (keys, count) in enumerate(
            zip(np.atleast_2d(found.keys), counts, strict=True)
        ):
            rows[q, :count] = self.rows[keys[:count]]
        return rows


def read_graph(folder: Path) -> TrackGraph | None:
    """Open the graph of the index in `folder`; None when it has none.

    Raises
    ------
    ValueError
        When its file was cut.
    """
    if not (folder / _NODES).exists():
        return None
    with (folder / _NODES).open("rb") as file, np.load(file) as stored:
        rows, length = stored["rows"], float(stored["length"])
        n_bytes = int(stored["n_bytes"])
    path = folder / _GRAPH
    # what is mapped is read beyond the end of a cut file
    if path.stat().st_size != n_bytes:
        raise ValueError(f"{path.name} has {path.stat().st_size} bytes, not {n_bytes}")
    return TrackGraph(_restored(path, view=True), rows, length, path)


def write_graph(
    folder: Path,
    vectors: Vectors,
    scales: Vectors,
    before: TrackGraph | None,
    kept: Rows,
) -> None:
    """Store the graph of an index in its folder.

    What stayed as it was in the index before is not added again; when much has gone,
    or a track does not fit into the length, all is.

    Parameters
    ----------
    before : TrackGraph, optional
        Of the index before.
    kept : ndarray, int32
        Row in this index of each row of the one before; -1 for one that left or moved.
    """
    longest = float(np.sqrt(2) / scales.min())
    rows = np.empty(0, dtype=np.int32) if before is None else _moved(before.rows, kept)
    n_gone = np.count_nonzero(rows < 0)
    if (
        before is None
        or before.length < longest
        or before.nodes.ndim != vectors.shape[1] + 2
        or n_gone > _GONE_AT_MOST * len(rows)
    ):
        rows, length = np.empty(0, dtype=np.int32), longest * _SPARE_LENGTH
        nodes = _empty(vectors.shape[1])
    else:
        nodes, length = _restored(before.path, view=False), before.length
    new = np.setdiff1d(np.arange(len(vectors), dtype=np.int32), rows)
    _add(nodes, vectors, scales, new, length)
    with replace_atomically(folder / _GRAPH) as path:
        nodes.save(str(path))
        n_bytes = path.stat().st_size
        with path.open("rb") as file:
            os.fsync(file.fileno())
    with write_atomically(folder / _NODES) as file:
        rows = np.concatenate([rows, new])
        np.savez(file, rows=rows, length=length, n_bytes=n_bytes)


def _moved(rows: Rows, kept: Rows) -> Rows:
    """Return the new row of each node; -1 for one that stands for none."""
    return np.where(rows >= 0, kept[rows], np.int32(-1))


def _empty(n_dims: int) -> Index:
    return Index(
        ndim=n_dims + 2,
        metric="l2sq",
        dtype="f16",
        connectivity=_CONNECTIVITY,
        expansion_add=_BEAM_AT_ADDING,
    )


def _add(
    nodes: Index, vectors: Vectors, scales: Vectors, new: Rows, length: float
) -> None:
    """Add the tracks of some rows; a node's key is its number."""
    first = len(nodes)
    with tqdm(
        total=len(new), desc="graph", unit="", disable=len(new) <= _AT_ONCE
    ) as bar:
        for start in range(0, len(new), _AT_ONCE):
            some = new[start : start + _AT_ONCE]
            keys = np.arange(first + start, first + start + len(some), dtype=np.uint64)
            nodes.add(keys, _lifted(vectors[some], scales[some], length))
            bar.update(len(some))


def _lifted(vectors: Vectors, scales: Vectors, length: float) -> Vectors:
    """Return the tracks as points of one length, shape (n, n_dims + 2)."""
    inverse = (1 / scales)[:, None]
    rest = np.sqrt(np.maximum(length**2 - 2 * inverse**2, 0))
    return np.hstack([vectors * inverse, -inverse, rest]).astype(np.float32)


def _restored(path: Path, *, view: bool) -> Index:
    try:
        nodes = Index.restore(str(path), view=view)
    except RuntimeError as error:
        raise ValueError(str(error)) from None
    if nodes is None:
        raise ValueError(f"{path.name} is not a graph")
    return nodes
