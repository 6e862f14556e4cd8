"""The taste space: where near means alike.

Feature vectors of a catalogue become points of unit length in four steps:

1. each dimension is standardised over the catalogue, ``z = (x - mean) / deviation``;
2. each block of dimensions counts by its weight, however many dimensions it has;
3. the axes of the catalogue's covariance are drawn halfway to equal length (partial
   whitening, ``y / deviation ** 0.5``), so that what all descriptors say in common
   does not drown the rest; weak axes are dropped;
4. each point is scaled to unit length, so that a dot product is a cosine.

Spaces of averages have hubs: tracks that are near to everything. So each track has a
*hub scale*, its mean distance to the nearest of a sample of the catalogue, over the
median of that (local scaling, Schnitzer et al. 2012): `1 - (1 - cosine) / scale` is
what tracks are ranked by. It is linear in the query, so ranking stays one product.

The weights were chosen on soundtracks of games: `docs/decisions/006-taste-space.md`.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from features.metrics import evenly_spaced
from segue.audio_reports import FLAT
from segue.files import write_atomically

METHOD: Final = "z-score, block weights, half whitened, unit length, local scaling / 1"
BLOCK_WEIGHTS: Final[Mapping[str, float]] = {
    "timbre": 1.0,
    "mfcc_std": 1.0,
    "mfcc_delta_std": 1.0,
    "contrast": 0.5,
    "loudness": 0.35,
    "centroid": 0.25,
    "onset": 0.2,
    "chroma": 0.15,
    "tempo": 0.03,
}
SPACE_FILE: Final = "space.npz"

_WHITENING: Final = 0.5
_MAX_AXES: Final = 50
_WEAKEST_AXIS: Final = 1e-3
_MAX_REFERENCE: Final = 4096
_MAX_NEIGHBOURS: Final = 50
_SAME_POINT: Final = 1e-5
_SCALE_RANGE: Final = (0.1, 10.0)
_ROWS_AT_ONCE: Final = 1024

Blocks = Mapping[str, NDArray[np.float32]]
Points = NDArray[np.float32]


def _nothing() -> NDArray[np.uint64]:
    return np.empty(0, dtype=np.uint64)


@dataclass(frozen=True, eq=False)
class TasteSpace:
    """A fitted transform from feature vectors to unit vectors.

    Attributes
    ----------
    names : tuple of str
        The blocks, in the order in which their dimensions follow each other.
    mean, scale : ndarray, float64, shape (n_features,)
        Mean of each dimension over the catalogue; its weight over its standard
        deviation, 0 for a dimension that never differs.
    axes : ndarray, float64, shape (n_features, n_dims)
        From weighted z-scores to coordinates.
    reference : ndarray, float32, shape (n_reference, n_dims)
        Points of a sample of the catalogue, which the hub scales are measured by.
    reference_distance : float
        Median of their mean distances to their neighbours.
    n_fitted : int
        Tracks that the space was fitted to.
    fitted_at : datetime
        When that was.
    fitted_to : ndarray, uint64
        A number for each of these tracks, where whoever had it fitted kept them.
    """

    names: tuple[str, ...]
    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
    axes: NDArray[np.float64]
    reference: Points
    reference_distance: float
    n_fitted: int
    fitted_at: datetime
    fitted_to: NDArray[np.uint64] = field(default_factory=_nothing)
    method: str = METHOD

    @property
    def n_neighbours(self) -> int:
        """Nearest tracks of the reference that the hub scale looks at."""
        return int(np.clip(len(self.reference) // 8, 1, _MAX_NEIGHBOURS))


def fit_space(
    blocks: Blocks, now: datetime, weights: Mapping[str, float] | None = None
) -> TasteSpace:
    """Fit the transform to a catalogue.

    Parameters
    ----------
    blocks : mapping
        Finite float32 matrices, shape (n_tracks, size of the block), with at least
        one row.
    now : datetime
        Kept as the age of the space; it does not change the space.
    weights : mapping, optional
        Weight of each block that counts; default is `BLOCK_WEIGHTS`.
    """
    weights = BLOCK_WEIGHTS if weights is None else weights
    names = tuple(name for name in weights if name in blocks)
    vectors = _joined(blocks, names)
    mean = vectors.mean(axis=0, dtype=np.float64)
    deviation = vectors.std(axis=0, dtype=np.float64)
    flat = is_flat(mean, deviation)
    shares = np.concatenate(
        [np.full(n := blocks[k].shape[1], np.sqrt(weights[k] / n)) for k in names]
    )
    scale = np.divide(shares, deviation, out=np.zeros_like(deviation), where=~flat)
    axes = _half_white_axes((vectors - mean) * scale)
    nothing = np.empty((0, axes.shape[1]), dtype=np.float32)
    bare = TasteSpace(names, mean, scale, axes, nothing, 1.0, len(vectors), now)
    fitted = replace(bare, reference=transform(bare, _sample(blocks, len(vectors))))
    distance = float(np.median(_neighbour_distances(fitted, fitted.reference)))
    return replace(fitted, reference_distance=distance)


def is_flat(
    mean: NDArray[np.float64], deviation: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Return which dimensions do not differ between tracks: they have no say."""
    return np.asarray(deviation <= FLAT * np.abs(mean))


def transform(space: TasteSpace, blocks: Blocks) -> Points:
    """Return the points of the space, of unit length; a zero row stays zero.

    Parameters
    ----------
    blocks : mapping
        The blocks of the space, as in :func:`fit_space`.

    Returns
    -------
    ndarray, float32, shape (n_tracks, n_dims)
    """
    points = ((_joined(blocks, space.names) - space.mean) * space.scale) @ space.axes
    lengths = np.linalg.norm(points, axis=1, keepdims=True)
    unit = np.divide(points, lengths, out=np.zeros_like(points), where=lengths > 0)
    return np.asarray(unit, dtype=np.float32)


def hub_scales(space: TasteSpace, points: Points) -> NDArray[np.float32]:
    """Return how far each point lies from its neighbours, 1 for a usual distance.

    Returns
    -------
    ndarray, float32, shape (n_tracks,)
        0.1 to 10.
    """
    scales = _neighbour_distances(space, points) / space.reference_distance
    return np.clip(scales, *_SCALE_RANGE).astype(np.float32)


def space_version(space: TasteSpace) -> str:
    """Return the name of a space: a hash of its contents."""
    digest = hashlib.sha256(f"{space.method} {space.names}".encode())
    for array in (space.mean, space.scale, space.axes, space.reference):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:12]


def write_space(folder: Path, space: TasteSpace) -> None:
    """Store a space in a folder."""
    about = {
        "method": space.method,
        "names": space.names,
        "reference_distance": space.reference_distance,
        "n_fitted": space.n_fitted,
        "fitted_at": space.fitted_at.isoformat(),
    }
    folder.mkdir(parents=True, exist_ok=True)
    with write_atomically(folder / SPACE_FILE) as file:
        np.savez(
            file,
            about=np.array(json.dumps(about)),
            mean=space.mean,
            scale=space.scale,
            axes=space.axes,
            reference=space.reference,
            fitted_to=space.fitted_to,
        )


def read_space(folder: Path) -> TasteSpace:
    """Read what :func:`write_space` stored."""
    with np.load(folder / SPACE_FILE, allow_pickle=False) as stored:
        about = json.loads(str(stored["about"]))
        return TasteSpace(
            names=tuple(about["names"]),
            mean=stored["mean"],
            scale=stored["scale"],
            axes=stored["axes"],
            reference=stored["reference"],
            reference_distance=about["reference_distance"],
            n_fitted=about["n_fitted"],
            fitted_at=datetime.fromisoformat(about["fitted_at"]),
            fitted_to=stored["fitted_to"],
            method=about["method"],
        )


def _joined(blocks: Blocks, names: tuple[str, ...]) -> NDArray[np.float32]:
    return np.concatenate([blocks[name] for name in names], axis=1)


def _half_white_axes(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the strong axes of weighted z-scores, each divided by √deviation."""
    variances, axes = np.linalg.eigh(scores.T @ scores / len(scores))
    strongest = np.argsort(-variances)[:_MAX_AXES]
    deviations = np.sqrt(np.maximum(variances[strongest], 0.0))
    strong = deviations > _WEAKEST_AXIS * deviations[0]
    if not strong.any():  # all tracks are alike
        return axes[:, :1]
    axes = axes[:, strongest[strong]] / deviations[strong] ** _WHITENING
    # the sign of an axis is arbitrary; the same rows shall give the same space
    signs = np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])])
    return np.asarray(axes * signs)


def _sample(blocks: Blocks, n_tracks: int) -> dict[str, NDArray[np.float32]]:
    rows = evenly_spaced(n_tracks, _MAX_REFERENCE)
    return {name: matrix[rows] for name, matrix in blocks.items()}


def _neighbour_distances(space: TasteSpace, points: Points) -> NDArray[np.float64]:
    """Return mean distances to the nearest of the reference; copies do not count."""
    distances = np.ones(len(points))
    k = space.n_neighbours
    for start in range(0, len(points), _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        away = 1.0 - points[rows] @ space.reference.T
        away[away < _SAME_POINT] = np.inf
        nearest = np.partition(away, k - 1, axis=1)[:, :k]
        is_there = np.isfinite(nearest)
        n_there = is_there.sum(axis=1)
        total = np.where(is_there, nearest, 0.0).sum(axis=1, dtype=np.float64)
        distances[rows] = np.where(n_there > 0, total / np.maximum(n_there, 1), 1.0)
    return distances
