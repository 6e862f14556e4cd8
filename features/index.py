"""Feature table → taste space → track index.

A space is fitted once and kept, so that new tracks find their place at once beside the
old ones; it is fitted anew when the catalogue has changed by more than a share, when
the space is older than a setting, or by command. Each index is of one space.
"""

import hashlib
from collections.abc import Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np

from features.space import (
    METHOD,
    SPACE_FILE,
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
from segue.errors import LibraryError
from segue.settings import FeatureSettings, Settings
from segue.track_index import (
    TrackIndex,
    create_track_index,
    current_version,
    open_track_index,
    read_track_index,
    write_track_index,
)

_HASH_CHARS: Final = 16


@dataclass(frozen=True)
class _Fitted:
    """The current index and the space it was made with."""

    index: TrackIndex
    space: TasteSpace


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
    table, folder = table_folder(settings.home, spec), settings.home / "index"
    rows = _present_rows(table, present)
    fitted = _read_fitted(folder, spec)
    if fitted is None or refit or _is_outgrown(fitted, rows, settings.features, now):
        space, known = fit_space(rows.blocks, now), None
    else:
        space, known = fitted.space, fitted.index
    version = index_version(spec, space, rows.track_ids)
    if version != current_version(folder):
        write_space(folder / version, space)
        write_track_index(folder, _placed(version, space, rows, known))
    return read_track_index(folder)


def refit_index(settings: Settings, now: datetime) -> TrackIndex:
    """Fit the space anew to the tracks of the current index.

    Raises
    ------
    IndexMissingError
        When there is none.
    LibraryError
        When its tracks are not in the table of today's feature spec.
    """
    present = set(read_track_index(settings.home / "index").track_ids)
    return build_index(settings, now, present=present, refit=True)


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


def _read_fitted(folder: Path, spec: FeatureSpec) -> _Fitted | None:
    """Return the current index, when its space is of this method and spec."""
    version = current_version(folder)
    if version is None or not (folder / version / SPACE_FILE).exists():
        return None
    space, index = read_space(folder / version), open_track_index(folder, version)
    if space.method != METHOD:
        return None
    if index_version(spec, space, index.track_ids) != version:
        return None
    return _Fitted(index, space)


def _is_outgrown(
    fitted: _Fitted, rows: FeatureRows, settings: FeatureSettings, now: datetime
) -> bool:
    """Whether the space no longer stands for the catalogue."""
    grown = abs(len(rows) / fitted.space.n_fitted - 1)
    if grown > settings.refit_share:
        return True
    is_old = now - fitted.space.fitted_at > timedelta(hours=settings.refit_after_h)
    return is_old and len(rows) != fitted.space.n_fitted


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
    return create_track_index(version, rows.track_ids, vectors, scales)
