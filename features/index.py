"""Feature table → taste space → track index."""

import hashlib
from collections.abc import Set
from typing import Final

import numpy as np
from numpy.typing import NDArray

from features.space import METHOD, fit_space, transform, write_space
from features.spec import FeatureSpec, spec_hash
from features.table import read_vectors, table_folder
from segue.errors import LibraryError
from segue.settings import Settings
from segue.track_index import (
    TrackIndex,
    create_track_index,
    current_version,
    read_track_index,
    write_track_index,
)

SPACE_FILE: Final = "space.json"
_HASH_CHARS: Final = 16


def build_index(
    settings: Settings,
    spec: FeatureSpec | None = None,
    present: Set[str] | None = None,
) -> TrackIndex:
    """Fit the taste space to the library and make its index the current one.

    The version depends on the rows alone: nothing is written when they are those of
    the current index.

    Parameters
    ----------
    present : set of str, optional
        Tracks that are in the library; the table also keeps those that left it.
        Default are all tracks of the table.

    Raises
    ------
    LibraryError
        When the table has no rows.
    """
    spec = FeatureSpec() if spec is None else spec
    table, folder = table_folder(settings.home, spec), settings.home / "index"
    track_ids, vectors = _only(*read_vectors(table), present)
    if not track_ids:
        raise LibraryError(
            f"no track in {table} has features; run `segue features build DIR` on a "
            "folder with music"
        )
    version = index_version(spec, track_ids, vectors)
    if version != current_version(folder):
        space = fit_space(vectors)
        write_space(folder / version / SPACE_FILE, space)
        points = transform(space, vectors)
        write_track_index(folder, create_track_index(version, track_ids, points))
    return read_track_index(folder)


def _only(
    track_ids: list[str], vectors: NDArray[np.float32], present: Set[str] | None
) -> tuple[list[str], NDArray[np.float32]]:
    if present is None:
        return track_ids, vectors
    rows = [row for row, track_id in enumerate(track_ids) if track_id in present]
    return [track_ids[row] for row in rows], vectors[rows]


def index_version(
    spec: FeatureSpec, track_ids: list[str], vectors: NDArray[np.float32]
) -> str:
    """Return the name of the index of these rows.

    Parameters
    ----------
    vectors : ndarray, float32, shape (n_tracks, n_mfcc)
        In the order of `track_ids`.
    """
    digest = hashlib.sha256(f"{METHOD} {spec_hash(spec)}".encode())
    digest.update("\n".join(track_ids).encode())
    digest.update(np.ascontiguousarray(vectors, dtype="<f4").tobytes())
    return digest.hexdigest()[:_HASH_CHARS]
