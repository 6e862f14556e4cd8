"""Trained models: what was learned from all listeners' plays, on disk.

`learning` writes them, the stream and the ranking read them; each is a build of
`segue.builds` with two files: `tracks.parquet`, a row a track, and `model.json`, which
says from what it was learned, and how.
"""

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from segue.builds import builds_of, current_version, hold, make_current, prune
from segue.errors import ModelError
from segue.files import replace_atomically, write_atomically

FOLDER: Final = "models"
FACTS: Final = "model.json"
"""What was learned from what, of a model."""
_TRACKS: Final = "tracks.parquet"
# what models of before do not have
_ADDED: Final = "followers"
_KEPT_MODELS: Final = 10
_VERSION_CHARS: Final = 16
_NOT_WHOLE: Final = (OSError, ValueError, TypeError, KeyError, pa.ArrowException)
BLENDED: Final = ("collaborative", "neighbours", "followers")
"""The parts of a score that a model has a share in."""
ROUNDING: Final = 1e-9
"""By so much a sum of shares may be more than the whole."""
_HOW: Final = "run `segue train`, or go back to another by `segue models use VERSION`"


class Neighbours(NamedTuple):
    """The nearest tracks of each track; -1 and 0 where there are no more.

    Attributes
    ----------
    rows : ndarray, int32, shape (n_tracks, n_neighbours)
    likeness : ndarray, float32, shape (n_tracks, n_neighbours)
        From 0 to 1, greatest first.
    """

    rows: NDArray[np.int32]
    likeness: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class TrainedModel:
    """What all listeners' plays say of tracks.

    Attributes
    ----------
    track_ids : list of str
        Ascending, `n_tracks` of them: those that were played.
    factors : ndarray, float32, shape (n_tracks, n_factors)
        Of the implicit factorisation: how much a listener will like a track is about
        the dot product with the listener's own factors.
    neighbours : Neighbours
        The tracks that the same listeners play.
    followers : Neighbours
        The tracks that are played next in a session.
    confidence, regularization : float
        With which the factors were trained; a listener's are found with them.
    blend : mapping
        The share of each part that the model has in a score.
    facts : mapping
        What `model.json` says: `version`, `trained_at`, `data`, `settings`, `blend`.
    """

    track_ids: list[str]
    factors: NDArray[np.float32]
    neighbours: Neighbours
    followers: Neighbours
    confidence: float
    regularization: float
    blend: Mapping[str, float]
    facts: Mapping[str, Any]

    @property
    def version(self) -> str:
        """Name of this build: a hash of what was learned."""
        return str(self.facts["version"])


def create_model(
    track_ids: list[str],
    factors: NDArray[np.float32],
    neighbours: Neighbours,
    followers: Neighbours,
    facts: Mapping[str, Any],
) -> TrainedModel:
    """Return a model; its version follows from what was learned.

    Parameters
    ----------
    facts : mapping
        With `settings`, in it `confidence` and `regularization`, and `blend`.

    Raises
    ------
    ModelError
        When there are no tracks, or numbers that are not finite.
    """
    if not track_ids:
        raise ModelError("a model of no tracks; nothing was played that says something")
    likeness = neighbours.likeness, followers.likeness
    if not all(np.isfinite(each).all() for each in (factors, *likeness)):
        raise ModelError(
            "the model holds numbers that are not finite; train with a larger "
            "learning.regularization or a smaller learning.confidence"
        )
    shares = [float(facts["blend"][name]) for name in BLENDED]
    if min(shares) < 0 or sum(shares) > 1 + ROUNDING:
        raise ModelError(f"the shares {shares} of a model are not between 0 and 1")
    confidence = float(facts["settings"]["confidence"])
    regularization = float(facts["settings"]["regularization"])
    numbers = map(repr, [confidence, regularization, *shares])
    digest = hashlib.sha256("\n".join([*track_ids, *numbers]).encode())
    for array in (factors, *neighbours, *followers):
        digest.update(np.ascontiguousarray(array).tobytes())
    version = digest.hexdigest()[:_VERSION_CHARS]
    return TrainedModel(
        track_ids,
        factors,
        neighbours,
        followers,
        confidence,
        regularization,
        dict(zip(BLENDED, shares, strict=True)),
        {**facts, "version": version},
    )


def write_model(folder: Path, model: TrainedModel) -> None:
    """Store a model below `folder` and make it the current one."""
    target = folder / model.version
    target.mkdir(parents=True, exist_ok=True)
    table = pa.table(
        {
            "track_id": pa.array(model.track_ids, pa.string()),
            "factors": _column(model.factors),
            "neighbours": _column(model.neighbours.rows),
            "likeness": _column(model.neighbours.likeness),
            "followers": _column(model.followers.rows),
            "follower_likeness": _column(model.followers.likeness),
        }
    )
    with replace_atomically(target / _TRACKS) as file:
        pq.write_table(table, file, compression="zstd")
    with write_atomically(target / FACTS) as file:
        file.write(json.dumps(model.facts, indent=2).encode())
    with hold(folder):
        make_current(folder, model.version)
        prune(folder, _KEPT_MODELS)


def read_model(folder: Path) -> TrainedModel:
    """Open the current model; each process opens a version once.

    Raises
    ------
    ModelError
        When there is none, or when it is not whole.
    """
    version = current_version(folder)
    if version is None:
        raise ModelError("no model was trained yet; run `segue train`")
    return open_model(folder, version)


@lru_cache(maxsize=2)
def open_model(folder: Path, version: str) -> TrainedModel:
    """Open one model; each process opens it once.

    Raises
    ------
    ModelError
        When it is not there, or not whole.
    """
    place = folder / version
    try:
        facts = json.loads((place / FACTS).read_bytes())
        table = pq.read_table(place / _TRACKS)
        if _ADDED not in table.column_names:
            raise ModelError(f"the model {place} is of an older Segue; {_HOW}")
        read = create_model(
            table["track_id"].to_pylist(),
            _array(table["factors"], np.float32),
            _neighbours(table, "neighbours", "likeness"),
            _neighbours(table, "followers", "follower_likeness"),
            facts,
        )
    except FileNotFoundError:
        raise ModelError(f"the model {place} lacks a file; {_HOW}") from None
    except _NOT_WHOLE as error:
        raise ModelError(f"the model {place} is not whole ({error}); {_HOW}") from None
    if read.version != version:
        raise ModelError(f"the model {place} is not what was trained; {_HOW}")
    return read


def models_of(folder: Path) -> list[Mapping[str, Any]]:
    """Return the facts of all models, the newest last."""
    found = list[Mapping[str, Any]]()
    for build in builds_of(folder):
        with suppress(*_NOT_WHOLE):
            facts = json.loads((build / FACTS).read_bytes())
            found.append({**facts, "version": build.name})
    return found


def use_model(folder: Path, version: str) -> None:
    """Make a model that was trained before the current one.

    Raises
    ------
    ModelError
        When it is not there or not whole.
    """
    with hold(folder):
        there = [build.name for build in builds_of(folder)]
        if version not in there:
            named = ", ".join(there) or "none; run `segue train`"
            raise ModelError(f"there is no model {version!r}; there are: {named}")
        open_model(folder, version)
        make_current(folder, version)


def _neighbours(table: pa.Table, rows: str, likeness: str) -> Neighbours:
    return Neighbours(
        _array(table[rows], np.int32), _array(table[likeness], np.float32)
    )


def _column(array: NDArray[Any]) -> pa.Array:
    flat = pa.array(np.ascontiguousarray(array).reshape(-1))
    return pa.FixedSizeListArray.from_arrays(flat, array.shape[1])


def _array(column: pa.ChunkedArray, dtype: type) -> NDArray[Any]:
    whole = column.combine_chunks()
    flat = whole.flatten().to_numpy(zero_copy_only=False)
    return np.asarray(flat.reshape(len(whole), whole.type.list_size), dtype=dtype)
