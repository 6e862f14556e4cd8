from pathlib import Path

import numpy as np
import pytest

from features.index import SPACE_FILE, build_index
from features.space import fit_space, read_space, transform
from features.spec import FeatureSpec
from features.table import table_folder
from segue.errors import LibraryError
from segue.settings import Settings
from segue.track_index import current_version, read_track_index
from tests.features.tables import append_tracks, track_row

MFCC = {"a": [-700.0, 80.0, 2.0], "b": [-500.0, 60.0, 2.0], "c": [-650.0, 90.0, 2.0]}


def fill(settings: Settings, ids: str) -> None:
    rows = [track_row(track_id, MFCC[track_id]) for track_id in ids]
    append_tracks(table_folder(settings.home, FeatureSpec()), ids, rows)


def test_the_index_holds_the_whole_table_in_the_taste_space(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    fill(settings, "cb")
    fill(settings, "a")
    index = build_index(settings)

    vectors = np.array([MFCC[name] for name in "abc"], dtype=np.float32)
    space = fit_space(vectors)
    assert index.track_ids == ["a", "b", "c"]
    np.testing.assert_array_equal(index.vectors, transform(space, vectors))
    assert read_space(tmp_path / "index" / index.version / SPACE_FILE) == space
    assert read_track_index(tmp_path / "index").track_ids == index.track_ids


def test_the_same_table_gives_the_same_version_and_writes_nothing(
    tmp_path: Path,
) -> None:
    settings = Settings(home=tmp_path)
    fill(settings, "ab")
    before = build_index(settings).version
    written = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert build_index(settings).version == before
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == written


def test_a_new_row_gives_a_new_version_and_leaves_the_old_one(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    fill(settings, "ab")
    before = build_index(settings)
    fill(settings, "c")
    after = build_index(settings)
    assert after.version != before.version
    assert current_version(tmp_path / "index") == after.version
    assert (tmp_path / "index" / before.version).is_dir()


def test_a_track_that_left_the_library_is_in_the_table_only(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    fill(settings, "abc")
    assert build_index(settings, present={"a", "c", "x"}).track_ids == ["a", "c"]
    assert build_index(settings).track_ids == ["a", "b", "c"]


def test_one_track_alone_has_an_index(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    fill(settings, "a")
    index = build_index(settings)
    assert (index.track_ids, index.vectors.any()) == (["a"], np.False_)


def test_a_table_without_rows_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match="segue features build"):
        build_index(Settings(home=tmp_path))
    assert not (tmp_path / "index").exists()
