"""Feature table → taste space → track index.

A space is fitted once and kept, so that new tracks find their place at once beside the
old ones; it is fitted anew when the catalogue has changed by more than a share, when
the space is older than a setting, or by command. Each index is of one space.
"""

import hashlib
from collections.abc import Set
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from typing import Final
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from features.space import (
    METHOD,
    TasteSpace,
    fit_space,
    hub_scales,
    read_space,
    space_version,
    transform,
    write_space,
)
from features.spec import FeatureSpec, spec_hash
from features.table import FeatureRows, feature_rows, read_tracks, table_folder
from segue.builds import current_version, hold
from segue.errors import LibraryError
from segue.settings import FeatureSettings, Settings
from segue.track_index import (
    TrackIndex,
    create_track_index,
    lacks_graph,
    open_track_index,
    read_track_index,
    write_track_index,
)

_HASH_CHARS: Final = 16


@dataclass(frozen=True)
class Fitted:
    """The current index and the space it was made with."""

    index: TrackIndex
    space: TasteSpace

    @property
    def n_placed(self) -> int:
        """Tracks that the space was not fitted to; 0 where nobody kept these."""
        fitted_to = self.space.fitted_to
        if not len(fitted_to):
            return 0
        return len(np.setdiff1d(_marks(self.index.track_ids), fitted_to))


def build_index(
    settings: Settings,
    now: datetime,
    spec: FeatureSpec | None = None,
    present: Set[str] | None = None,
    refit: bool = False,
) -> TrackIndex:
    """Bring the index up to date with the table and make it the current one.

    Nothing is written when space and tracks are those of the current index.

    Parameters
    ----------
    now : datetime
        Tells the age of the space.
    present : set of str, optional
        Tracks that are in the library; the table also keeps those that left it.
        Default are all tracks of the table.
    refit : bool
        Fit the space anew, whatever its age.

    Raises
    ------
    LibraryError
        When the table has no rows.
    """
    spec = FeatureSpec() if spec is None else spec
    with hold(settings.home / "index"):
        return _build(settings, now, spec, present, refit)


def refit_index(settings: Settings, now: datetime) -> TrackIndex:
    """Fit the space anew to the tracks of the current index.

    Raises
    ------
    IndexMissingError
        When there is none.
    LibraryError
        When its tracks are not in the table of today's feature spec.
    """
    with hold(settings.home / "index"):
        present = set(read_fitted(settings).index.track_ids)
        return _build(settings, now, FeatureSpec(), present, refit=True)


def read_fitted(settings: Settings) -> Fitted:
    """Return the current index, which is of the feature table, and its space.

    Raises
    ------
    IndexMissingError
        When there is none.
    LibraryError
        When it is of other features.
    """
    folder = settings.home / "index"
    read_track_index(folder)  # or the error that there is none
    fitted = _read_fitted(folder, FeatureSpec())
    if fitted is None:
        raise LibraryError(
            "the index is not of the feature table: it was imported, or another "
            "version of Segue made it; run `segue features import FILE` or "
            "`segue features build DIR` again"
        )
    return fitted


def _build(
    settings: Settings,
    now: datetime,
    spec: FeatureSpec,
    present: Set[str] | None,
    refit: bool,
) -> TrackIndex:
    table, folder = table_folder(settings.home, spec), settings.home / "index"
    rows = _present_rows(table, present)
    fitted = _read_fitted(folder, spec)
    if fitted is None or refit or _is_outgrown(fitted, rows, settings.features, now):
        fresh = fit_space(rows.blocks, now)
        space, known = replace(fresh, fitted_to=_marks(rows.track_ids)), None
    else:
        space, known = fitted.space, fitted.index
    version = index_version(spec, space, rows.track_ids)
    if (
        fitted is None
        or version != fitted.index.version
        or lacks_graph(fitted.index, settings.features.exact_tracks)
    ):
        write_space(folder / version, space)
        placed = _placed(version, space, rows, known)
        write_track_index(folder, placed, settings.features.exact_tracks)
    return read_track_index(folder)


def index_version(spec: FeatureSpec, space: TasteSpace, track_ids: list[str]) -> str:
    """Return the name of the index of these tracks in this space."""
    content = "\n".join([spec_hash(spec), space_version(space), *track_ids])
    return hashlib.sha256(content.encode()).hexdigest()[:_HASH_CHARS]


def _present_rows(table: Path, present: Set[str] | None) -> FeatureRows:
    tracks = read_tracks(table)
    if present is not None:
        ids = tracks["track_id"].to_pylist()
        here = np.array([track_id in present for track_id in ids], dtype=bool)
        tracks = tracks.filter(here)
    if tracks.num_rows == 0:
        raise LibraryError(
            f"no track in {table} has features; run `segue features build DIR` on a "
            "folder with music"
        )
    return feature_rows(tracks)


def _read_fitted(folder: Path, spec: FeatureSpec) -> Fitted | None:
    """Return the current index, when it is whole and of this method and spec."""
    version = current_version(folder)
    if version is None:
        return None
    try:
        space, index = read_space(folder / version), open_track_index(folder, version)
    except (OSError, ValueError, EOFError, KeyError, BadZipFile):
        return None
    is_ours = index_version(spec, space, index.track_ids) == version
    return Fitted(index, space) if space.method == METHOD and is_ours else None


def _is_outgrown(
    fitted: Fitted, rows: FeatureRows, settings: FeatureSettings, now: datetime
) -> bool:
    """Whether the space no longer stands for the catalogue."""
    space = fitted.space
    n_changed = len(np.setxor1d(space.fitted_to, _marks(rows.track_ids)))
    if n_changed > settings.refit_share * space.n_fitted:
        return True
    is_old = now - space.fitted_at > timedelta(hours=settings.refit_after_h)
    return is_old and n_changed > 0


def _marks(track_ids: list[str]) -> NDArray[np.uint64]:
    """Return a number for each track, the same at all times."""
    digests = (blake2b(each.encode(), digest_size=8).digest() for each in track_ids)
    return np.frombuffer(b"".join(digests), dtype="<u8")


def _placed(
    version: str, space: TasteSpace, rows: FeatureRows, known: TrackIndex | None
) -> TrackIndex:
    """Return the index of `rows`; what `known` has in the same space is taken over."""
    old_rows = {} if known is None else known.row_of
    new = [i for i, track_id in enumerate(rows.track_ids) if track_id not in old_rows]
    points = transform(space, {name: m[new] for name, m in rows.blocks.items()})
    vectors = np.empty((len(rows), points.shape[1]), dtype=np.float32)
    scales = np.empty(len(rows), dtype=np.float32)
    vectors[new], scales[new] = points, hub_scales(space, points)
    if known is not None:
        old = [i for i, t in enumerate(rows.track_ids) if t in old_rows]
        source = [old_rows[rows.track_ids[i]] for i in old]
        vectors[old], scales[old] = known.vectors[source], known.scales[source]
    is_heir = known is not None and old_rows.keys() <= set(rows.track_ids)
    lineage = known.lineage if known is not None and is_heir else version
    return create_track_index(version, rows.track_ids, vectors, scales, lineage)
