"""The track index laid out by UMAP, as a layer of the taste map.

Too slow for a page (minutes), so a command makes it, at night. UMAP is not among what
Segue installs: the extra `umap` brings it.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from segue.errors import LibraryError, MissingProgramError
from segue.map_layers import shown_rows, write_umap
from segue.track_index import read_track_index

LayOut = Callable[[NDArray[np.float32]], NDArray[np.floating[Any]]]
_FEWEST: Final = 5
_NEIGHBOURS: Final = 15
_SEED: Final = 1


class UmapLayer(NamedTuple):
    """What was written."""

    index_version: str
    n_tracks: int
    path: Path


def write_umap_layer(home: Path, lay_out: LayOut | None = None) -> UmapLayer:
    """Lay out the current index and store the places beside it.

    Parameters
    ----------
    lay_out : callable, optional
        From vectors to places of shape (n, 2); UMAP where none is given.

    Raises
    ------
    MissingProgramError
        Where UMAP is not installed.
    LibraryError
        Where the index has too few tracks.
    """
    chosen = _umap() if lay_out is None else lay_out
    index = read_track_index(home / "index")
    rows = shown_rows(len(index.track_ids))
    if len(rows) < _FEWEST:
        raise LibraryError(
            f"the index has {len(rows)} tracks, UMAP wants {_FEWEST} or more; add "
            "music, and run `segue features build` first"
        )
    places = np.full((len(index.track_ids), 2), np.nan, np.float32)
    places[rows] = chosen(index.vectors[rows])
    path = write_umap(home / "index", index.version, places)
    return UmapLayer(index.version, len(rows), path)


def _umap() -> LayOut:
    try:
        from umap import UMAP  # noqa: PLC0415 - it is not always there, and slow
    except ImportError:
        raise MissingProgramError(
            "umap-learn is not installed; `pip install 'segue[umap]'` brings it, and "
            "without it the taste map has its other layer"
        ) from None

    def lay_out(vectors: NDArray[np.float32]) -> NDArray[np.floating[Any]]:
        # with a seed it runs in one thread, and always finds the same places
        method = UMAP(
            n_neighbors=min(_NEIGHBOURS, len(vectors) - 1),
            metric="cosine",
            init="pca",
            random_state=_SEED,
            n_jobs=1,
        )
        return np.asarray(method.fit_transform(vectors))

    return lay_out
