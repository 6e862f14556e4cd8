from pathlib import Path

import numpy as np
import pytest

from segue.builds import current_version
from segue.errors import IndexMissingError
from segue.track_index import read_track_index, write_track_index
from tests.factories import create_index


def test_an_index_is_read_as_it_was_written(tmp_path: Path) -> None:
    index = create_index(n_tracks=5)
    write_track_index(tmp_path, index)
    read = read_track_index(tmp_path)
    assert (read.version, read.track_ids, read.row_of) == (
        index.version,
        index.track_ids,
        index.row_of,
    )
    np.testing.assert_array_equal(read.vectors, index.vectors)
    assert isinstance(read.vectors.base, np.memmap)


def test_the_newest_index_is_the_current_one_and_the_older_stays(
    tmp_path: Path,
) -> None:
    older, newer = create_index(seed=1), create_index(seed=2)
    write_track_index(tmp_path, older)
    held = read_track_index(tmp_path)
    write_track_index(tmp_path, newer)
    assert current_version(tmp_path) == read_track_index(tmp_path).version == "v2"
    np.testing.assert_array_equal(held.vectors, older.vectors)


def test_without_an_index_the_error_says_what_to_do(tmp_path: Path) -> None:
    assert current_version(tmp_path) is None
    with pytest.raises(IndexMissingError, match="segue features build"):
        read_track_index(tmp_path)


def test_an_index_that_lost_a_file_is_a_clear_error(tmp_path: Path) -> None:
    write_track_index(tmp_path, create_index(seed=7))
    (tmp_path / "v7" / "vectors.npy").unlink()
    with pytest.raises(IndexMissingError, match="is not whole"):
        read_track_index(tmp_path)
