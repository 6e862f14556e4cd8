"""The track index: unit rows of the taste space, memory-mapped, with their ids.

`features` writes it, the stream and the ranking read it. Each build is a folder of
its own, never changed afterwards; the file `CURRENT` names the newest and is swapped
in one step, so that a reader sees a whole index or the one before.
"""

import json
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from segue.errors import IndexMissingError

_POINTER: Final = "CURRENT"


@dataclass(frozen=True)
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
    row_of : dict
        Row number of each track.
    """

    version: str
    track_ids: list[str]
    vectors: NDArray[np.float32]
    row_of: dict[str, int]


def create_track_index(
    version: str, track_ids: list[str], vectors: NDArray[np.float32]
) -> TrackIndex:
    """Return an index over `vectors`, one row a track."""
    rows = {track_id: row for row, track_id in enumerate(track_ids)}
    return TrackIndex(version, track_ids, vectors, rows)


def write_track_index(folder: Path, index: TrackIndex) -> None:
    """Store `index` below `folder` and make it the current one."""
    target = folder / index.version
    target.mkdir(parents=True, exist_ok=True)
    _write_atomically(target / "track_ids.json", json.dumps(index.track_ids).encode())
    temporary = target / f"vectors.{os.getpid()}.npy"
    np.save(temporary, index.vectors)
    temporary.replace(target / "vectors.npy")
    _write_atomically(folder / _POINTER, index.version.encode())


def current_version(folder: Path) -> str | None:
    """Return the name of the newest index below `folder`, None where there is none."""
    try:
        return (folder / _POINTER).read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return None


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
    except FileNotFoundError as error:
        raise IndexMissingError(
            f"the track index {folder / version} is not whole ({error.filename} is "
            "gone); run `segue features build DIR` again"
        ) from None


@lru_cache(maxsize=2)
def open_track_index(folder: Path, version: str) -> TrackIndex:
    """Open one build; each process opens it once."""
    track_ids = json.loads((folder / version / "track_ids.json").read_bytes())
    vectors = np.load(folder / version / "vectors.npy", mmap_mode="r")
    return create_track_index(version, track_ids, vectors)


def _write_atomically(path: Path, content: bytes) -> None:
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    temporary.write_bytes(content)
    temporary.replace(path)
