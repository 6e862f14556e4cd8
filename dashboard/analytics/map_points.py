"""The catalogue as points of a map: where each track lies, and what it belongs to.

Places are whole numbers from -10,000 to 10,000 in both directions, the same scale in
each; which way an axis points, and how far the furthest track lies, says nothing.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.clusters import clusters_of
from models.plane import plane_of
from segue.activity import code_of
from segue.map_layers import shown_rows
from segue.store import Document
from segue.track_index import TrackIndex

EXTENT: Final = 10_000
N_CLUSTERS: Final = 10
PCA: Final = "pca"
UMAP: Final = "umap"
NONE: Final = -1
_N_NAMED: Final = 2
Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Placed:
    """All tracks of an index.

    Attributes
    ----------
    places : mapping of float32 arrays of shape (n_tracks, 2)
        By layer; NaN where a layer does not have a track.
    clusters : int16 array of shape (n_tracks,)
    n_clusters : int
    shown_share : float
        Which share of what distinguishes tracks the plane shows, 0 to 1.
    """

    version: str
    track_ids: Sequence[str]
    row_of: Mapping[str, int]
    places: Mapping[str, Floats]
    clusters: NDArray[np.int16]
    n_clusters: int
    shown_share: float


@dataclass(frozen=True, eq=False)
class Labels:
    """What points belong to, by one view of it.

    Attributes
    ----------
    numbers : int32 array of shape (n_points,)
        Place in `keys` of each point's; `NONE` where it has none.
    keys, names : sequence of str
        That of most points first.
    """

    numbers: NDArray[np.int32]
    keys: Sequence[str]
    names: Sequence[str]

    def at(self, key: str) -> NDArray[np.bool_]:
        """Return which points belong to a key."""
        number = self.keys.index(key) if key in self.keys else NONE - 1
        return np.asarray(self.numbers == number)

    def name_of(self, point: int) -> str:
        """Return the name of what a point belongs to, "" where it is nothing."""
        number = self.numbers[point]
        return "" if number == NONE else self.names[number]


@dataclass(frozen=True, eq=False)
class MapPoints:
    """The tracks that a map shows: those of the index that are in the library.

    Attributes
    ----------
    version : str
        Another one whenever points have changed.
    codes : int64 array of shape (n_points,)
        By which plays are counted.
    places : mapping of int16 arrays of shape (n_points, 2)
        By layer.
    n_gone : int
        Tracks of the index that are no longer in the library.
    n_unplaced : int, optional
        Tracks of the library that the index does not have; None where not all tracks
        of the index are shown.
    """

    version: str
    placed: Placed
    track_ids: Sequence[str]
    codes: NDArray[np.int64]
    places: Mapping[str, NDArray[np.int16]]
    styles: Labels
    artists: Labels
    clusters: Labels
    n_gone: int
    n_unplaced: int | None

    def __len__(self) -> int:
        return len(self.track_ids)


def place(index: TrackIndex, umap: Floats | None) -> Placed:
    """Place all tracks of an index, and find its clusters."""
    plane = plane_of(index.vectors)
    places = {PCA: _scaled(plane.place(index.vectors))}
    if umap is not None:
        places[UMAP] = _scaled(umap - np.nanmean(umap, axis=0))
    clusters = clusters_of(index.vectors, N_CLUSTERS)
    n_clusters = int(clusters.max()) + 1 if len(clusters) else 0
    ids = index.track_ids
    args = index.version, ids, index.row_of, places, clusters, n_clusters
    return Placed(*args, plane.shown)


def points_of(
    placed: Placed, tracks: Iterable[Document], n_tracks: int, version: int
) -> MapPoints:
    """Return the points of a map.

    Parameters
    ----------
    tracks : iterable of documents
        Those of `wanted_ids` that are in the library.
    n_tracks : int
        In the whole library.
    version : int
        Of the library.
    """
    facts = {each["_id"]: each for each in tracks}
    wanted = shown_rows(len(placed.track_ids))
    rows = np.array([r for r in wanted if placed.track_ids[r] in facts], np.intp)
    ids = [placed.track_ids[row] for row in rows]
    found = [facts[each] for each in ids]
    styles = labelled([_first_style(each) for each in found])
    is_whole = len(wanted) == len(placed.track_ids)
    return MapPoints(
        version=f"{placed.version}.{version}.{len(placed.places)}",
        placed=placed,
        track_ids=ids,
        codes=np.array([code_of(each) for each in ids], np.int64),
        places={name: _whole(each[rows]) for name, each in placed.places.items()},
        styles=styles,
        artists=labelled([_artist(each) for each in found]),
        clusters=_cluster_labels(placed, rows, styles),
        n_gone=len(wanted) - len(rows),
        n_unplaced=n_tracks - len(rows) if is_whole else None,
    )


def wanted_ids(placed: Placed) -> list[str]:
    """Return the tracks that a map would show."""
    return [placed.track_ids[row] for row in shown_rows(len(placed.track_ids))]


def labelled(told: Sequence[tuple[str, str] | None]) -> Labels:
    """Return labels out of key and name of each point.

    Examples
    --------
    >>> found = labelled([("d", "dub"), None, ("h", "house"), ("h", "house")])
    >>> found.numbers.tolist(), found.names
    ([1, -1, 0, 0], ['house', 'dub'])
    """
    there = [each for each in told if each is not None]
    counts, names = Counter(key for key, _ in there), dict(there)
    keys = sorted(counts, key=lambda key: (-counts[key], names[key], key))
    number_of = {key: number for number, key in enumerate(keys)}
    numbers = [NONE if each is None else number_of[each[0]] for each in told]
    return Labels(np.array(numbers, np.int32), keys, [names[key] for key in keys])


def _cluster_labels(placed: Placed, rows: NDArray[np.intp], styles: Labels) -> Labels:
    """Name each cluster by its number and its most frequent styles."""
    numbers = placed.clusters[rows].astype(np.int32)
    keys = [str(number + 1) for number in range(placed.n_clusters)]
    names = [
        " · ".join([key, *_most_frequent(styles, numbers == number)])
        for number, key in enumerate(keys)
    ]
    return Labels(numbers, keys, names)


def _most_frequent(styles: Labels, chosen: NDArray[np.bool_]) -> list[str]:
    numbers = styles.numbers[chosen]
    counts = np.bincount(numbers[numbers != NONE], minlength=len(styles.keys))
    best = np.argsort(-counts, kind="stable")[:_N_NAMED]
    named = [styles.names[number] for number in best if counts[number]]
    return [", ".join(named)] if named else []


def _scaled(places: NDArray[np.floating[Any]]) -> Floats:
    """Return places whose furthest coordinate is `EXTENT`."""
    there = np.abs(places[np.isfinite(places)])
    furthest = float(there.max()) if len(there) else 0.0
    scale = EXTENT / furthest if furthest > 0 else 0.0
    return np.asarray(places * scale, np.float32)


def _whole(places: Floats) -> NDArray[np.int16]:
    # a track without a place in a layer lies in the middle of it
    return np.nan_to_num(places).round().astype(np.int16)


def _first_style(track: Document) -> tuple[str, str] | None:
    keys, names = track.get("genre_ids") or (), track.get("genres") or ()
    return (keys[0], names[0]) if keys and names else None


def _artist(track: Document) -> tuple[str, str] | None:
    key = track.get("artist_id")
    name = track.get("main_artist") or track.get("artist")
    return (key, name) if key and name else None
