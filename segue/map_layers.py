"""Places of tracks in two dimensions that were computed beside a track index.

A layer lies in the folder of its index, so that it goes with it. Of a very large
index only evenly spaced tracks are placed, those that a map can show.
"""

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from segue.files import write_atomically

MOST_SHOWN: Final = 50_000
_UMAP: Final = "umap.npy"
_N_AXES: Final = 2


def shown_rows(n_tracks: int) -> NDArray[np.intp]:
    """Return the rows of an index that a map shows, ascending: all, or evenly spaced.

    Examples
    --------
    >>> shown_rows(3).tolist()
    [0, 1, 2]
    >>> len(shown_rows(1_000_000))
    50000
    """
    n_shown = min(n_tracks, MOST_SHOWN)
    return np.arange(n_shown, dtype=np.intp) * n_tracks // max(1, n_shown)


def write_umap(folder: Path, version: str, places: NDArray[np.float32]) -> Path:
    """Store a layer beside an index.

    Parameters
    ----------
    folder : Path
        Of all indexes.
    places : ndarray, float32, shape (n_tracks, 2)
        NaN for a track that has none.
    """
    path = folder / version / _UMAP
    with write_atomically(path) as file:
        np.save(file, places)
    return path


def umap_stamp(folder: Path, version: str) -> int:
    """Return a number that changes when the layer is made anew; 0 without one."""
    try:
        return (folder / version / _UMAP).stat().st_mtime_ns
    except OSError:
        return 0


def read_umap(folder: Path, version: str, n_tracks: int) -> NDArray[np.float32] | None:
    """Return the layer of an index; None where none was made, or it is damaged."""
    try:
        places = np.load(folder / version / _UMAP)
    except (OSError, ValueError, EOFError):
        return None
    is_whole = places.shape == (n_tracks, _N_AXES) and places.dtype == np.float32
    return places if is_whole else None
