from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from features.descriptors import BLOCK_SIZES
from features.table import (
    BLOCKS,
    STAMPS,
    TRACKS,
    TableWriter,
    feature_rows,
    hold_table,
    part_name,
    read_failures,
    read_hopeless,
    read_known,
    read_stamps,
    read_tracks,
)
from segue.errors import LibraryError
from tests.features.tables import (
    START,
    append,
    append_failures,
    append_tracks,
    failure_row,
    track_row,
)


def test_the_columns_are_the_blocks_of_the_analysis() -> None:
    assert list(BLOCKS) == ["mfcc", *BLOCK_SIZES]


def test_a_table_that_is_not_there_has_no_rows(tmp_path: Path) -> None:
    rows = feature_rows(read_tracks(tmp_path / "none"))
    assert (len(rows), rows.blocks["mfcc"].shape) == (0, (0, 0))
    assert read_known(tmp_path / "none") == set()
    assert read_hopeless(tmp_path / "none") == set()
    assert read_stamps(tmp_path / "none") == {}


def test_vectors_come_by_track_id_from_all_parts(tmp_path: Path) -> None:
    written = {name: track_row(name) for name in "abc"}
    append_tracks(tmp_path, "1", [written["c"], written["a"]])
    append_tracks(tmp_path, "2", [written["b"]])
    rows = feature_rows(read_tracks(tmp_path))
    assert rows.track_ids == ["a", "b", "c"]
    for name in BLOCKS:
        expected = np.array([written[each][name] for each in "abc"], dtype=np.float32)
        assert rows.blocks[name].dtype == np.float32
        np.testing.assert_array_equal(rows.blocks[name], expected)


def test_a_row_that_was_written_twice_counts_once_and_the_first_wins(
    tmp_path: Path,
) -> None:
    later, first = track_row("a", hour=2), track_row("a", hour=1)
    later["duration_s"] = 1.0
    append_tracks(tmp_path, "1", [later])
    append_tracks(tmp_path, "2", [first, track_row("b")])
    rows = feature_rows(read_tracks(tmp_path))
    assert (rows.track_ids, rows.durations_s.tolist()) == (["a", "b"], [50.0, 50.0])


def test_a_task_that_runs_again_replaces_its_part(tmp_path: Path) -> None:
    append_tracks(tmp_path, "1", [track_row("a")])
    append_tracks(tmp_path, "1", [track_row("a")])
    assert len(list((tmp_path / TRACKS).glob("*.parquet"))) == 1


def test_what_a_killed_writer_left_behind_is_not_read_and_swept_up(
    tmp_path: Path,
) -> None:
    append_tracks(tmp_path, "1", [track_row("a")])
    half = tmp_path / TRACKS / ".2-b.parquet.77"
    half.write_bytes(b"PAR1 half")
    assert read_tracks(tmp_path)["track_id"].to_pylist() == ["a"]
    with hold_table(tmp_path, "c"):
        assert not half.exists()


def test_a_write_that_fails_leaves_nothing(tmp_path: Path) -> None:
    row = track_row("a")
    row["mfcc"] = ["no number"]
    with pytest.raises((pa.ArrowInvalid, pa.ArrowTypeError)):
        append_tracks(tmp_path, "1", [row])
    assert list((tmp_path / TRACKS).iterdir()) == []


def test_a_task_of_a_build_that_was_replaced_writes_no_more(tmp_path: Path) -> None:
    with hold_table(tmp_path, "old"):
        writer = TableWriter(tmp_path, "old", "1")
    with hold_table(tmp_path, "new"), pytest.raises(LibraryError, match="another"):
        writer.write(TRACKS, [track_row("a")])
    assert read_tracks(tmp_path).num_rows == 0


def test_a_table_is_held_by_one_build(tmp_path: Path) -> None:
    with (
        hold_table(tmp_path, "one"),
        pytest.raises(LibraryError, match="wait until it has ended"),
        hold_table(tmp_path, "two"),
    ):
        pass


def test_hopeless_is_what_failed_for_good_or_too_often(tmp_path: Path) -> None:
    rows = [failure_row("x", retry=False), failure_row("y", retry=True)]
    append_failures(tmp_path, "1", [*rows, failure_row(None, retry=True)])
    assert read_hopeless(tmp_path) == {"x"}
    for n in (2, 3):
        rows = [failure_row("y", retry=True), failure_row(None, retry=True)]
        append_failures(tmp_path, str(n), rows)
    assert read_hopeless(tmp_path) == {"x", "y"}
    assert read_failures(tmp_path).num_rows == 7


def test_a_stamp_tells_the_hash_of_a_file_that_did_not_change(tmp_path: Path) -> None:
    stamp = {"path": "/m/a.ogg", "size_bytes": 9, "mtime_ns": 7, "seen_at": START}
    append(tmp_path, STAMPS, "1", [{**stamp, "content_sha256": "aa"}])
    assert read_stamps(tmp_path) == {("/m/a.ogg", 9, 7): "aa"}


def test_the_name_of_a_part_follows_from_its_files() -> None:
    class File:
        path, size_bytes = "caf\udce9.ogg", 9

    assert part_name([File()]) == part_name([File()])
    assert part_name([File()]) != part_name([File(), File()])
