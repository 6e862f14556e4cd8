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
# in a graph no track is nearer to its neighbours than this: with longer nodes the
# nearest of many could not be told apart in 16 bits. What is found is scored as it is
_LEAST_SCALE: Final = 0.3
_LENGTH: Final = float(np.sqrt(2)) / _LEAST_SCALE
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
    """

    nodes: Index
    rows: Rows

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


def read_graph(folder: Path, *, view: bool = True) -> TrackGraph | None:
    """Open the graph of the index in `folder`; None when it has none.

    Parameters
    ----------
    view : bool
        Map the nodes, rather than have them in memory, to add some.

    Raises
    ------
    ValueError
        When its files were cut, or are not of one graph.
    """
    if not (folder / _NODES).exists():
        return None
    with (folder / _NODES).open("rb") as file, np.load(file) as stored:
        rows, n_bytes = stored["rows"], int(stored["n_bytes"])
    path = folder / _GRAPH
    # what is mapped is read beyond the end of a cut file
    if path.stat().st_size != n_bytes:
        raise ValueError(f"{path.name} has {path.stat().st_size} bytes, not {n_bytes}")
    nodes = _restored(path, view=view)
    if len(nodes) != len(rows):
        raise ValueError(f"{path.name} has {len(nodes)} nodes, not {len(rows)}")
    return TrackGraph(nodes, rows)


def write_graph(
    folder: Path,
    vectors: Vectors,
    scales: Vectors,
    before: TrackGraph | None,
    kept: Rows,
) -> None:
    """Store the graph of an index in its folder.

    What stayed as it was in the index before is not added again; when much has gone,
    all is.

    Parameters
    ----------
    before : TrackGraph, optional
        Of the index before, in memory; it becomes the new one.
    kept : ndarray, int32
        Row in this index of each row of the one before; -1 for one that left or moved.
    """
    nodes, rows = _empty(vectors.shape[1]), np.empty(0, dtype=np.int32)
    if before is not None:
        moved = _moved(before.rows, kept)
        if np.count_nonzero(moved < 0) <= _GONE_AT_MOST * len(moved):
            nodes, rows = before.nodes, moved
    new = np.setdiff1d(np.arange(len(vectors), dtype=np.int32), rows)
    _add(nodes, vectors, scales, new)
    with replace_atomically(folder / _GRAPH) as path:
        nodes.save(str(path))
        n_bytes = path.stat().st_size
        with path.open("rb") as file:
            os.fsync(file.fileno())
    with write_atomically(folder / _NODES) as file:
        np.savez(file, rows=np.concatenate([rows, new]), n_bytes=n_bytes)


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


def _add(nodes: Index, vectors: Vectors, scales: Vectors, new: Rows) -> None:
    """Add the tracks of some rows; a node's key is its number."""
    first = len(nodes)
    with tqdm(
        total=len(new), desc="graph", unit="", disable=len(new) <= _AT_ONCE
    ) as bar:
        for start in range(0, len(new), _AT_ONCE):
            some = new[start : start + _AT_ONCE]
            keys = np.arange(first + start, first + start + len(some), dtype=np.uint64)
            nodes.add(keys, _lifted(vectors[some], scales[some]))
            bar.update(len(some))


def _lifted(vectors: Vectors, scales: Vectors) -> Vectors:
    """Return the tracks as points of one length, shape (n, n_dims + 2)."""
    inverse = 1 / np.maximum(scales, _LEAST_SCALE)[:, None]
    rest = np.sqrt(np.maximum(_LENGTH**2 - 2 * inverse**2, 0))
    return np.hstack([vectors * inverse, -inverse, rest]).astype(np.float32)


def _restored(path: Path, *, view: bool) -> Index:
    try:
        nodes = Index.restore(str(path), view=view)
    except RuntimeError as error:
        raise ValueError(str(error)) from None
    if nodes is None:
        raise ValueError(f"{path.name} is not a graph")
    return nodes
