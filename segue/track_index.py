"""The track index: unit rows of the taste space, memory-mapped, with their ids.

`features` writes it, the stream and the ranking read it; each is a build of
`segue.builds`.
"""

import json
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Final
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from segue.builds import current_version, make_current, prune
from segue.errors import IndexMissingError
from segue.files import write_atomically
from segue.track_graph import TrackGraph, read_graph, write_graph

_IDS: Final = "track_ids.json"
_VECTORS: Final = "vectors.npy"
_SCALES: Final = "scales.npy"
_LINEAGE: Final = "lineage"
_KEPT_BUILDS: Final = 5
_NOT_WHOLE: Final = (OSError, ValueError, EOFError, BadZipFile)


@dataclass(frozen=True, eq=False)
class TrackIndex:
    """Tracks as points of the taste space.

    Attributes
    ----------
    version : str
        Name of this build; it depends on the features and the space only.
    track_ids : list of str
        Ascending, `n_tracks` of them.
    vectors : ndarray, float32, shape (n_tracks, n_dims)
        Rows of unit length, in the order of `track_ids`.
    scales : ndarray, float32, shape (n_tracks,)
        Hub scales, greater than 0: how far a track lies from its neighbours, over what
        is usual. Tracks are ranked by ``1 - (1 - cosine) / scale``, so that none is
        near to everything.
    row_of : dict
        Row number of each track.
    lineage : str
        The same for builds that follow one another and only add tracks: what was
        computed from the vectors of one holds for the next.
    graph : TrackGraph or None
        Finds what is near where there are too many tracks to look at each.
    """

    version: str
    track_ids: list[str]
    vectors: NDArray[np.float32]
    scales: NDArray[np.float32]
    row_of: dict[str, int]
    lineage: str
    graph: TrackGraph | None = None


def create_track_index(
    version: str,
    track_ids: list[str],
    vectors: NDArray[np.float32],
    scales: NDArray[np.float32] | None = None,
    lineage: str | None = None,
) -> TrackIndex:
    """Return an index over `vectors`, one row a track; without `scales` all are 1.

    Without `lineage` it begins one of its own.
    """
    rows = {track_id: row for row, track_id in enumerate(track_ids)}
    if scales is None:
        scales = np.ones(len(track_ids), dtype=np.float32)
    return TrackIndex(version, track_ids, vectors, scales, rows, lineage or version)


def write_track_index(
    folder: Path, index: TrackIndex, exact_tracks: int | None = None
) -> None:
    """Store `index` below `folder` and make it the current one.

    The few builds before it stay, for readers that still have them open.

    Parameters
    ----------
    exact_tracks : int, optional
        Above so many tracks the index gets a graph; default is none.
    """
    target = folder / index.version
    target.mkdir(parents=True, exist_ok=True)
    if exact_tracks is not None and len(index.track_ids) > exact_tracks:
        _write_graph(folder, index)
    with write_atomically(target / _IDS) as file:
        file.write(json.dumps(index.track_ids).encode())
    for name, array in ((_VECTORS, index.vectors), (_SCALES, index.scales)):
        with write_atomically(target / name) as file:
            np.save(file, array)
    with write_atomically(target / _LINEAGE) as file:
        file.write(index.lineage.encode())
    make_current(folder, index.version)
    prune(folder, _KEPT_BUILDS)


def lacks_graph(index: TrackIndex, exact_tracks: int) -> bool:
    """Whether an index is to have a graph and has none."""
    return index.graph is None and len(index.track_ids) > exact_tracks


def read_track_index(folder: Path) -> TrackIndex:
    """Open the current index; each process opens a version once.

    Raises
    ------
    IndexMissingError
        When none was built.
    """
    version = current_version(folder)
    if version is None:
        raise IndexMissingError(
            f"no track index in {folder}; run `segue features build DIR` first"
        )
    try:
        return open_track_index(folder, version)
    except _NOT_WHOLE as error:
        raise IndexMissingError(
            f"the track index {folder / version} is not whole ({error}); run "
            "`segue features build DIR` again"
        ) from None


@lru_cache(maxsize=2)
def open_track_index(folder: Path, version: str) -> TrackIndex:
    """Open one build; each process opens it once."""
    track_ids = json.loads((folder / version / _IDS).read_bytes())
    # mapped, but a plain array: a slice of a memmap costs more
    vectors = np.asarray(np.load(folder / version / _VECTORS, mmap_mode="r"))
    scales = np.load(folder / version / _SCALES)
    lineage = lineage_of(folder, version)
    index = create_track_index(version, track_ids, vectors, scales, lineage)
    return replace(index, graph=read_graph(folder / version))


def lineage_of(folder: Path, version: str) -> str:
    """Return the lineage of a build; one that is gone is of its own."""
    named = folder / version / _LINEAGE
    return named.read_text(encoding="utf-8") if named.exists() else version


def is_in_space(folder: Path, version: str, index: TrackIndex) -> bool:
    """Say whether vectors of a build can be compared with those of `index`."""
    return version == index.version or lineage_of(folder, version) == index.lineage


def _write_graph(folder: Path, index: TrackIndex) -> None:
    """Give `index` its graph, which goes on from that of the current index."""
    with suppress(*_NOT_WHOLE):
        if read_graph(folder / index.version) is not None:
            return  # a build of these tracks that comes back
    kept, graph = np.empty(0, dtype=np.int32), None
    with suppress(IndexMissingError, *_NOT_WHOLE):
        before = read_track_index(folder)
        graph = read_graph(folder / before.version, view=False)
        kept = _kept_rows(before, index)
    write_graph(folder / index.version, index.vectors, index.scales, graph, kept)


def _kept_rows(before: TrackIndex, index: TrackIndex) -> NDArray[np.int32]:
    """Return the row in `index` of each track before; -1 for one that left or moved."""
    found = [index.row_of.get(track_id, -1) for track_id in before.track_ids]
    rows = np.array(found, dtype=np.int32)
    if before.vectors.shape[1] != index.vectors.shape[1]:
        return np.full_like(rows, -1)
    old = np.flatnonzero(rows >= 0)
    new = rows[old]
    is_same = (before.vectors[old] == index.vectors[new]).all(axis=1)
    is_same &= before.scales[old] == index.scales[new]
    rows[old[~is_same]] = -1
    return rows
