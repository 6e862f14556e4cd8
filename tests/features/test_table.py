from pathlib import Path

import numpy as np

from features.table import (
    read_failures,
    read_hopeless,
    read_known,
    read_tracks,
    read_vectors,
)
from tests.features.tables import append_failures, append_tracks, failure_row, track_row


def test_a_table_that_is_not_there_has_no_rows(tmp_path: Path) -> None:
    track_ids, vectors = read_vectors(tmp_path / "none")
    assert (track_ids, vectors.shape) == ([], (0, 0))
    assert read_known(tmp_path / "none") == set()
    assert read_hopeless(tmp_path / "none") == set()


def test_vectors_come_by_track_id_from_all_files(tmp_path: Path) -> None:
    append_tracks(tmp_path, "1", [track_row("c", [3, 3.5]), track_row("a", [1, 1.5])])
    append_tracks(tmp_path, "2", [track_row("b", [2, 2.5])])
    track_ids, vectors = read_vectors(tmp_path)
    assert track_ids == ["a", "b", "c"]
    assert vectors.dtype == np.float32
    np.testing.assert_array_equal(vectors, [[1, 1.5], [2, 2.5], [3, 3.5]])


def test_a_row_that_was_written_twice_counts_once_and_the_first_wins(
    tmp_path: Path,
) -> None:
    append_tracks(tmp_path, "1", [track_row("a", [9.0], hour=2)])
    append_tracks(tmp_path, "2", [track_row("a", [1.0], hour=1), track_row("b", [2.0])])
    track_ids, vectors = read_vectors(tmp_path)
    assert (track_ids, vectors.tolist()) == (["a", "b"], [[1.0], [2.0]])
    assert read_tracks(tmp_path).num_rows == 2


def test_what_a_killed_writer_left_behind_is_not_read(tmp_path: Path) -> None:
    append_tracks(tmp_path, "1", [track_row("a", [1.0])])
    half = tmp_path / "tracks" / "_temporary" / "0"
    half.mkdir(parents=True)
    (half / "part-0.parquet").write_bytes(b"PAR1 half")
    (tmp_path / "tracks" / ".part-1.crc").write_bytes(b"crc")
    assert read_vectors(tmp_path)[0] == ["a"]


def test_only_failures_not_worth_a_try_are_hopeless(tmp_path: Path) -> None:
    rows = [failure_row("x", retry=False), failure_row("y", retry=True)]
    append_failures(tmp_path, "1", [*rows, failure_row(None, retry=True)])
    assert read_hopeless(tmp_path) == {"x"}
    assert read_failures(tmp_path).num_rows == 3
