"""The catalogue as a picture: tracks that sound alike lie together."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.manifold import TSNE
from threadpoolctl import threadpool_limits

from features.metrics import evenly_spaced
from features.report_rows import ReportRows

MAX_TRACKS: Final = 3000
N_FOLDERS: Final = 12

_FEWEST_FOR_TSNE: Final = 5
_PERPLEXITY: Final = 30.0
_SEED: Final = 1


@dataclass(frozen=True, eq=False)
class CatalogueMap:
    """Places of tracks in two dimensions.

    Attributes
    ----------
    method : str
        `t-SNE`, or `PCA` where there are only few tracks.
    places : ndarray of float64, shape (n, 2)
        Distances tell only who is near to whom; axes and scale mean nothing.
    titles, folders : tuple of str
        Of each of these tracks.
    largest : tuple of (folder, n_tracks)
        The largest folders of the whole catalogue, largest first.
    """

    method: str
    places: NDArray[np.float64]
    titles: tuple[str, ...]
    folders: tuple[str, ...]
    largest: tuple[tuple[str, int], ...]


def map_catalogue(rows: ReportRows) -> CatalogueMap:
    """Lay out at most `MAX_TRACKS` tracks."""
    shown = evenly_spaced(len(rows), MAX_TRACKS)
    method, places = lay_out(rows.points[shown])
    sizes = np.bincount(rows.folders)
    largest = np.argsort(-sizes, kind="stable")[:N_FOLDERS]
    return CatalogueMap(
        method=method,
        places=places,
        titles=tuple(rows.titles[row] for row in shown),
        folders=tuple(rows.folder_of(row) for row in shown),
        largest=tuple((rows.folder_names[n], int(sizes[n])) for n in largest),
    )


def lay_out(points: NDArray[np.float32]) -> tuple[str, NDArray[np.float64]]:
    """Return the method and places in two dimensions, the same for the same points.

    Parameters
    ----------
    points : ndarray of float32, shape (n, n_dims)
        Rows of unit length: their distances order them as their cosines do.

    Returns
    -------
    method : str
    places : ndarray of float64, shape (n, 2)
    """
    n_different = len(np.unique(points, axis=0))
    if n_different < _FEWEST_FOR_TSNE:
        return "PCA", _principal(points)
    perplexity = min(_PERPLEXITY, (len(points) - 1) / 3)
    tsne = TSNE(
        init=_principal(points, 1e-4), perplexity=perplexity, random_state=_SEED
    )
    # its threads spin while they wait: on a busy machine two take longer than one
    with threadpool_limits(1, user_api="openmp"):
        return "t-SNE", np.asarray(tsne.fit_transform(points), dtype=np.float64)


def _principal(
    points: NDArray[np.float32], deviation: float = 1.0
) -> NDArray[np.float64]:
    """Return the two strongest axes, the first of them scaled to a deviation."""
    centred = points - points.mean(axis=0, dtype=np.float64)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    places = np.zeros((len(points), 2))
    n = min(2, len(axes))
    places[:, :n] = centred @ axes[:n].T
    spread = places[:, 0].std()
    return places * (deviation / spread) if spread > 0 else places
