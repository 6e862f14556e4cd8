"""The taste space: feature vectors, standardised over the catalogue, of unit length.

Coefficient 0 of an MFCC vector is loudness and a hundred times larger than the rest,
so that the bare cosine hears little else. In the space each coefficient counts by how
far it lies from the catalogue's mean, in standard deviations:
``x = (mfcc - mean) / deviation``, then ``x / |x|``.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

METHOD: Final = "z-score/unit"
HASH_CHARS: Final = 12
# below this share of the mean a deviation is float32 rounding, not music
_FLAT: Final = 1e-6


@dataclass(frozen=True, slots=True)
class TasteSpace:
    """A fitted transform from feature vectors to unit vectors.

    Attributes
    ----------
    mean : tuple of float
        Mean of each coefficient over the catalogue.
    scale : tuple of float
        One over its standard deviation; 0 for a coefficient that never differs.
    """

    mean: tuple[float, ...]
    scale: tuple[float, ...]
    method: str = METHOD


def fit_space(vectors: NDArray[np.float32]) -> TasteSpace:
    """Fit the space to a catalogue.

    Parameters
    ----------
    vectors : ndarray, float32, shape (n_tracks, n_mfcc)
        At least one row, finite.

    Examples
    --------
    >>> fit_space(np.array([[1.0, 7.0], [3.0, 7.0]], dtype=np.float32))
    TasteSpace(mean=(2.0, 7.0), scale=(1.0, 0.0), method='z-score/unit')
    """
    mean = vectors.mean(axis=0, dtype=np.float64)
    deviation = vectors.std(axis=0, dtype=np.float64)
    flat = deviation <= _FLAT * np.maximum(1.0, np.abs(mean))
    scale = np.divide(1.0, deviation, out=np.zeros_like(deviation), where=~flat)
    return TasteSpace(tuple(mean.tolist()), tuple(scale.tolist()))


def transform(space: TasteSpace, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the points of the space, of unit length; a zero row stays zero.

    Parameters
    ----------
    vectors : ndarray, float32, shape (n_tracks, n_mfcc)

    Returns
    -------
    ndarray, float32, shape (n_tracks, n_mfcc)

    Examples
    --------
    >>> space = TasteSpace(mean=(2.0, 7.0), scale=(1.0, 0.0))
    >>> transform(space, np.array([[4.0, 7.0], [2.0, 9.0]], dtype=np.float32))
    array([[1., 0.],
           [0., 0.]], dtype=float32)
    """
    points = (vectors - np.asarray(space.mean)) * np.asarray(space.scale)
    lengths = np.linalg.norm(points, axis=1, keepdims=True)
    unit = np.divide(points, lengths, out=np.zeros_like(points), where=lengths > 0)
    return np.asarray(unit, dtype=np.float32)


def space_version(space: TasteSpace) -> str:
    """Return the name of a space: a hash of its contents."""
    return hashlib.sha256(_to_json(space)).hexdigest()[:HASH_CHARS]


def write_space(path: Path, space: TasteSpace) -> None:
    """Store a space as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_to_json(space))


def read_space(path: Path) -> TasteSpace:
    """Read what :func:`write_space` stored."""
    fields = json.loads(path.read_bytes())
    return TasteSpace(tuple(fields["mean"]), tuple(fields["scale"]), fields["method"])


def _to_json(space: TasteSpace) -> bytes:
    return json.dumps(asdict(space), sort_keys=True).encode()
