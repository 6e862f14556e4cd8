"""What the report looks at: the tracks of the index with their rows of the table."""

import posixpath
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.spec import FeatureSpec
from features.table import feature_rows, read_tracks, table_folder
from segue.errors import LibraryError
from segue.recordings import group_recordings
from segue.settings import Settings
from segue.tags import clean_text, split_name
from segue.track_index import TrackIndex, read_track_index

_SEPARATORS: Final = (" - ", "__")
_FEWEST_FOR_START: Final = 3


@dataclass(frozen=True, eq=False)
class ReportRows:
    """The tracks of the current index, one row each, by ascending `track_id`.

    Attributes
    ----------
    index_version : str
    n_outside : int
        Tracks of the table that are not in the index: their files have gone.
    titles : list of str
        From the file names.
    folder_names : list of str
        Folders below the one that all have in common.
    folders, recordings : ndarray of int, shape (n_tracks,)
        Number of each track's folder and recording.
    durations_s : ndarray of float64, shape (n_tracks,)
    sample_rates_hz, n_channels : ndarray of int, shape (n_tracks,)
    extracted_at : ndarray of datetime64[us], UTC, shape (n_tracks,)
    blocks : dict
        Float32 matrices by column of the table.
    points, scales : ndarray of float32, shapes (n_tracks, n_dims) and (n_tracks,)
        Of the index.
    """

    index_version: str
    n_outside: int
    titles: list[str]
    folder_names: list[str]
    folders: NDArray[np.intp]
    recordings: NDArray[np.intp]
    durations_s: NDArray[np.float64]
    sample_rates_hz: NDArray[np.int64]
    n_channels: NDArray[np.int64]
    extracted_at: NDArray[np.datetime64]
    blocks: dict[str, NDArray[np.float32]]
    points: NDArray[np.float32]
    scales: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.titles)

    def folder_of(self, row: int) -> str:
        """Return the name of the folder of one track."""
        return self.folder_names[int(self.folders[row])]


def read_report_rows(settings: Settings, spec: FeatureSpec) -> ReportRows:
    """Read the table and the current index.

    Raises
    ------
    LibraryError
        When the table has no rows, or none of the tracks of the index.
    IndexMissingError
        When no index was built.
    """
    folder = table_folder(settings.home, spec)
    table = read_tracks(folder)
    if table.num_rows == 0:
        raise LibraryError(
            f"no track in {folder} has features, so there is nothing to report on; "
            "run `segue features build DIR` on a folder with music"
        )
    index = read_track_index(settings.home / "index")
    tracks = _in_index(table, index)
    if tracks.num_rows == 0:
        raise LibraryError(
            f"the index {index.version} has none of the {table.num_rows} tracks of "
            f"{folder}; run `segue features build DIR` to bring it up to date"
        )
    return _report_rows(tracks, index, table.num_rows - tracks.num_rows)


def title_of(path: str) -> str:
    """Return the title that a file name tells.

    Examples
    --------
    >>> title_of("/music/Album/03 - Blue.ogg")
    'Blue'
    """
    stem = posixpath.splitext(posixpath.basename(path))[0]
    return clean_text(split_name(stem)[1]) or "Untitled"


def titles_of(paths: Sequence[str], folders: NDArray[np.intp]) -> list[str]:
    """Return the titles of tracks, without what all names of their folder begin with.

    Names such as `Artist - Album - 01 Title` become titles that files elsewhere have.

    Examples
    --------
    >>> names = ["Bo - 1 Red.mp3", "Bo - 2 Sea.mp3", "Bo - 3 Bo - Live.mp3"]
    >>> titles_of(names, np.zeros(3, dtype=np.intp))
    ['Red', 'Sea', 'Bo - Live']
    """
    names = [posixpath.basename(path) for path in paths]
    members: dict[int, list[str]] = defaultdict(list)
    for name, folder in zip(names, folders.tolist(), strict=True):
        members[folder].append(name)
    starts = {folder: _common_start(group) for folder, group in members.items()}
    return [
        title_of(name[starts[folder] :])
        for name, folder in zip(names, folders.tolist(), strict=True)
    ]


def number_folders(paths: Sequence[str]) -> tuple[list[str], NDArray[np.intp]]:
    """Return the names of the folders of `paths`, and each path's number among them.

    Examples
    --------
    >>> number_folders(["/m/b/1.ogg", "/m/a/1.ogg", "/m/b/2.ogg"])
    (['a', 'b'], array([1, 0, 1]))
    """
    parents = [posixpath.dirname(path) for path in paths]
    unique = sorted(set(parents))
    number_of = {parent: number for number, parent in enumerate(unique)}
    numbers = np.array([number_of[parent] for parent in parents], dtype=np.intp)
    return _short_names(unique), numbers


def _common_start(names: list[str]) -> int:
    """Return the length of what all begin with, up to the last separator in it."""
    if len(names) < _FEWEST_FOR_START:
        return 0
    common = posixpath.commonprefix(names)
    ends = [common.rfind(each) + len(each) for each in _SEPARATORS if each in common]
    return max(ends, default=0)


def _short_names(folders: list[str]) -> list[str]:
    if len({posixpath.isabs(folder) for folder in folders}) > 1:
        return folders
    common = posixpath.commonpath(folders)
    names = [posixpath.relpath(folder or ".", common or ".") for folder in folders]
    top = posixpath.basename(common) or common or "."
    return [top if name == "." else clean_text(name) or "?" for name in names]


def _in_index(table: pa.Table, index: TrackIndex) -> pa.Table:
    ids = table["track_id"].to_pylist()
    return table.filter(np.array([track_id in index.row_of for track_id in ids]))


def _report_rows(tracks: pa.Table, index: TrackIndex, n_outside: int) -> ReportRows:
    features = feature_rows(tracks)
    index_rows = [index.row_of[track_id] for track_id in features.track_ids]
    points = _finite(np.asarray(index.vectors[index_rows]))
    folder_names, folders = number_folders(features.paths)
    titles = titles_of(features.paths, folders)
    groups = group_recordings(
        features.track_ids, titles, features.durations_s.tolist(), points
    )
    recordings = [groups[track_id] for track_id in features.track_ids]
    return ReportRows(
        index_version=index.version,
        n_outside=n_outside,
        titles=titles,
        folder_names=folder_names,
        folders=folders,
        recordings=np.unique(recordings, return_inverse=True)[1],
        durations_s=features.durations_s,
        sample_rates_hz=_numbers(tracks, "sample_rate_hz"),
        n_channels=_numbers(tracks, "n_channels"),
        extracted_at=tracks["extracted_at"].to_numpy(),
        blocks=features.blocks,
        points=points,
        scales=np.asarray(index.scales[index_rows]),
    )


def _finite(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the points; one with a value that is no number is like nothing."""
    usable = np.asarray(np.isfinite(points).all(axis=1))
    return points if usable.all() else np.where(usable[:, None], points, np.float32(0))


def _numbers(tracks: pa.Table, name: str) -> NDArray[np.int64]:
    column: Any = tracks[name].fill_null(0).to_numpy()
    return np.asarray(column, dtype=np.int64)
