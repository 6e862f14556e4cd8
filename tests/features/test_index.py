import os
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from features.index import build_index, refit_index
from features.space import fit_space, hub_scales, read_space, space_version, transform
from features.spec import FeatureSpec
from features.table import feature_rows, read_tracks, table_folder
from segue.builds import current_version
from segue.errors import IndexMissingError, LibraryError
from segue.settings import FeatureSettings, Settings
from segue.track_index import (
    open_track_index,
    read_track_index,
)
from tests.features.tables import START, append_tracks, track_row


def fill(settings: Settings, *track_ids: str) -> None:
    rows = [track_row(track_id) for track_id in track_ids]
    append_tracks(
        table_folder(settings.home, FeatureSpec()), "-".join(track_ids)[:99], rows
    )


def many(n: int, first: int = 0) -> list[str]:
    return [f"t{number:03d}" for number in range(first, first + n)]


def space_of(settings: Settings) -> str:
    index = read_track_index(settings.home / "index")
    return space_version(read_space(settings.home / "index" / index.version))


def test_the_index_holds_the_whole_table_in_the_taste_space(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    fill(settings, "c", "b")
    fill(settings, "a")
    index = build_index(settings, START)

    rows = feature_rows(read_tracks(table_folder(tmp_path, FeatureSpec())))
    space = fit_space(rows.blocks, START)
    points = transform(space, rows.blocks)
    assert index.track_ids == ["a", "b", "c"]
    np.testing.assert_array_equal(index.vectors, points)
    np.testing.assert_array_equal(index.scales, hub_scales(space, points))
    assert space_of(settings) == space_version(space)


def test_the_same_table_gives_the_same_version_and_writes_nothing(
    tmp_path: Path,
) -> None:
    settings = Settings(home=tmp_path)
    fill(settings, "a", "b")
    before = build_index(settings, START).version
    written = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert build_index(settings, START + timedelta(days=99)).version == before
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == written


def test_a_new_track_finds_its_place_in_the_space_that_is(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    fill(settings, *many(20))
    before, space = build_index(settings, START), space_of(settings)
    fill(settings, "new")
    after = build_index(settings, START)
    assert after.version != before.version
    assert space_of(settings) == space
    kept = [after.row_of[track_id] for track_id in before.track_ids]
    np.testing.assert_array_equal(after.vectors[kept], before.vectors)
    np.testing.assert_array_equal(after.scales[kept], before.scales)
    fitted = read_space(tmp_path / "index" / after.version)
    rows = feature_rows(read_tracks(table_folder(tmp_path, FeatureSpec())))
    new = {name: m[[after.row_of["new"]]] for name, m in rows.blocks.items()}
    np.testing.assert_allclose(
        after.vectors[[after.row_of["new"]]], transform(fitted, new), atol=1e-6
    )
    assert current_version(tmp_path / "index") == after.version
    assert (tmp_path / "index" / before.version).is_dir()


def test_a_space_is_fitted_anew_when_outgrown_old_or_by_command(tmp_path: Path) -> None:
    limits = FeatureSettings(refit_share=0.2, refit_after_h=10)
    settings = Settings(home=tmp_path, features=limits)
    fill(settings, *many(20))
    build_index(settings, START)
    spaces = [space_of(settings)]

    fill(settings, *many(5, first=50))  # a quarter more
    build_index(settings, START)
    spaces.append(space_of(settings))

    fill(settings, "one")
    build_index(settings, START + timedelta(hours=9))
    assert space_of(settings) == spaces[-1]
    build_index(settings, START + timedelta(hours=11))
    spaces.append(space_of(settings))

    fill(settings, "two")
    build_index(settings, START + timedelta(hours=11))
    assert space_of(settings) == spaces[-1]
    refit_index(settings, START + timedelta(hours=11))
    spaces.append(space_of(settings))
    assert len(set(spaces)) == 4


def test_old_builds_are_swept_up_but_for_the_last_few(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    versions = []
    for n in range(8):
        fill(settings, f"t{n}")
        versions.append(build_index(settings, START).version)
    assert all((tmp_path / "index" / version).is_dir() for version in versions)
    for age, version in enumerate(reversed(versions)):
        os.utime(tmp_path / "index" / version, (1e9 - age, 1e9 - age))
    fill(settings, "last")
    versions.append(build_index(settings, START).version)
    kept = [v for v in versions if (tmp_path / "index" / v).is_dir()]
    assert kept == versions[-5:]


@pytest.mark.parametrize("name", ["scales.npy", "track_ids.json", "space.npz"])
@pytest.mark.parametrize("content", [None, b""])
def test_a_damaged_index_is_said_and_the_next_build_mends_it(
    tmp_path: Path, name: str, content: bytes | None
) -> None:
    settings = Settings(home=tmp_path)
    fill(settings, "a", "b")
    index = build_index(settings, START)
    path = tmp_path / "index" / index.version / name
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    open_track_index.cache_clear()
    if name != "space.npz":
        with pytest.raises(IndexMissingError, match="not whole"):
            read_track_index(tmp_path / "index")
    mended = build_index(settings, START)
    assert mended.track_ids == index.track_ids
    np.testing.assert_array_equal(mended.scales, index.scales)


def test_a_library_that_was_exchanged_has_its_space_fitted_anew(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    fill(settings, *many(20), *many(20, first=50))
    build_index(settings, START, present=set(many(20)))
    before = space_of(settings)
    build_index(settings, START, present=set(many(20, first=50)))
    assert space_of(settings) != before


def test_a_track_that_left_the_library_is_in_the_table_only(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    fill(settings, "a", "b", "c")
    index = build_index(settings, START, present={"a", "c", "x"})
    assert index.track_ids == ["a", "c"]
    assert build_index(settings, START).track_ids == ["a", "b", "c"]


def test_one_track_alone_has_an_index(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    fill(settings, "a")
    index = build_index(settings, START)
    assert (index.track_ids, index.vectors.any()) == (["a"], np.False_)


def test_a_table_without_rows_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match="segue features build"):
        build_index(Settings(home=tmp_path), START)
    with pytest.raises(IndexMissingError, match="segue features build"):
        refit_index(Settings(home=tmp_path), START)
    assert current_version(tmp_path / "index") is None
