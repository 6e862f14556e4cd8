"""Builds by a real local Spark, of sound files made for each test."""

import fcntl
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from features import extract_mfcc
from features.extract import TableBuilder
from features.plan import BuildSummary
from features.spec import FeatureSpec
from features.table import STAMPS, TRACKS, read_failures, read_tracks
from segue.catalog import content_sha256, track_id_of
from segue.clock import fixed_clock
from segue.errors import LibraryError
from segue.settings import FeatureSettings
from tests.features.sounds import cut, write_silence, write_sound
from tests.features.tables import START

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark
NAMES = ["01 a b.ogg", "ä 音楽.flac", "100%.mp3", "two\nlines.wav", "x/y/#?.ogg"]


@dataclass
class Workshop:
    """A music folder, a table and what was reported."""

    spark: "SparkSession"
    music: Path
    table: Path
    settings: FeatureSettings = field(
        default_factory=lambda: FeatureSettings(files_per_commit=3)
    )
    lines: list[str] = field(default_factory=list)
    retry_failed: bool = False
    settle_s: float = 0.0
    n_unsettled: int = 0

    def build(self) -> BuildSummary:
        clock = fixed_clock(START)
        builder = TableBuilder(
            self.spark,
            self.table,
            FeatureSpec(),
            self.settings,
            clock,
            self.lines.append,
        )
        built = builder.build(self.music, self.retry_failed, self.settle_s)
        assert built.summary.adds_up
        self.n_unsettled = built.n_unsettled
        return built.summary


@pytest.fixture
def workshop(spark: "SparkSession", tmp_path: Path) -> Workshop:
    music, table = tmp_path / "my music", tmp_path / "home 100% ü" / "table"
    for seed, name in enumerate(NAMES):
        write_sound(music / name, seed)
    return Workshop(spark, music, table)


def test_every_file_becomes_a_row_and_a_second_build_adds_nothing(
    workshop: Workshop,
) -> None:
    first = workshop.build()
    assert (first.found, first.new) == (len(NAMES), len(NAMES))

    rows = {row["path"]: row for row in read_tracks(workshop.table).to_pylist()}
    assert set(rows) == {str(workshop.music / name) for name in NAMES}
    for path, row in rows.items():
        sha256 = content_sha256(Path(path))
        assert (row["content_sha256"], row["track_id"]) == (sha256, track_id_of(sha256))
        assert (row["duration_s"], row["sample_rate_hz"]) == (
            pytest.approx(1.0, abs=0.1),
            22_050,
        )
        assert row["extracted_at"] == START
        np.testing.assert_allclose(row["mfcc"], extract_mfcc(path), rtol=1e-5)

    files = sorted(workshop.table.rglob("*.parquet"))
    second = workshop.build()
    assert (second.known, second.new) == (len(NAMES), 0)
    assert sorted(workshop.table.rglob("*.parquet")) == files

    shutil.move(workshop.music / NAMES[0], workshop.music / "renamed.ogg")
    write_sound(workshop.music / "later.ogg", seed=99)
    third = workshop.build()
    assert (third.known, third.new) == (len(NAMES), 1)
    assert read_tracks(workshop.table).num_rows == len(NAMES) + 1


def test_bad_files_become_failures_with_a_reason_and_are_not_tried_again(
    workshop: Workshop,
) -> None:
    (workshop.music / "text.mp3").write_text("this is no music " * 99)
    (workshop.music / "empty.ogg").touch()
    cut(write_sound(workshop.music / "cut.mp3", duration_s=10), 0.3)
    shutil.copy(workshop.music / NAMES[0], workshop.music / "copy.ogg")

    first = workshop.build()
    assert (first.new, first.failed, first.duplicate) == (len(NAMES), 3, 1)
    failures = {Path(row["path"]).name: row for row in failures_of(workshop)}
    assert failures["empty.ogg"]["message"] == "the file is empty"
    assert failures["cut.mp3"]["stage"] == "decode"
    assert "libsndfile" in failures["text.mp3"]["message"]
    assert all(row["failed_at"] == START for row in failures.values())
    assert sum("empty.ogg" in line for line in workshop.lines) == 1

    second = workshop.build()
    n_again = sum(row["retry"] for row in failures.values())  # only without ffmpeg
    assert (second.known_failures, second.failed) == (3 - n_again, n_again)

    write_sound(workshop.music / "empty.ogg", seed=50)
    assert workshop.build().new == 1


def test_files_that_cannot_be_opened_are_failures(workshop: Workshop) -> None:
    strange = os.fsencode(workshop.music) + b"/caf\xe9.ogg"
    shutil.copy(os.fsencode(workshop.music / NAMES[0]), strange)
    summary = workshop.build()
    assert (summary.new, summary.failed) == (len(NAMES), 1)
    (failure,) = failures_of(workshop)
    assert failure["path"].endswith(r"caf\udce9.ogg")
    assert "rename the file" in failure["message"]
    assert failure["retry"]


def test_what_failed_for_good_is_tried_again_by_command(workshop: Workshop) -> None:
    (workshop.music / "text.mp3").write_text("this is no music " * 99)
    assert workshop.build().failed == 1
    workshop.retry_failed = True
    assert workshop.build().failed == 1
    assert read_failures(workshop.table).num_rows == 2


def test_a_file_that_did_not_change_is_not_read_again(workshop: Workshop) -> None:
    workshop.build()
    path = workshop.music / NAMES[0]
    status = path.stat()
    path.write_bytes(b"x" * status.st_size)  # other bytes, same size and time
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert workshop.build().known == len(NAMES)
    os.utime(path)
    assert workshop.build().failed == 1


def test_a_file_that_is_being_written_is_left_for_later(workshop: Workshop) -> None:
    now_s = START.timestamp()
    for age_s, name in enumerate(NAMES):
        os.utime(workshop.music / name, (now_s - age_s, now_s - age_s))
    workshop.settle_s = 1.5
    assert workshop.build().found == len(NAMES) - 2
    assert workshop.n_unsettled == 2
    in_future_s = now_s + 3600  # some other clock is wrong; it shall not wait for ever
    os.utime(workshop.music / NAMES[0], (in_future_s, in_future_s))
    assert workshop.build().new == 1


def test_each_task_commits_its_own_rows(workshop: Workshop) -> None:
    workshop.settings = FeatureSettings(files_per_commit=1)
    workshop.build()
    for name in (TRACKS, STAMPS):
        assert len(list((workshop.table / name).glob("*.parquet"))) == len(NAMES)


def test_a_file_that_takes_too_long_is_a_failure_worth_a_try(
    workshop: Workshop,
) -> None:
    shutil.rmtree(workshop.music)
    write_silence(workshop.music / "long.flac", minutes=180)
    workshop.settings = FeatureSettings(file_timeout_s=1)
    assert workshop.build().failed == 1
    (failure,) = failures_of(workshop)
    assert (failure["stage"], failure["retry"]) == ("time", True)
    assert failure["message"] == "it took more than 1 s and was ended"


def test_a_folder_without_music_gives_an_empty_summary(workshop: Workshop) -> None:
    shutil.rmtree(workshop.music)
    workshop.music.mkdir()
    assert workshop.build().found == 0


def test_a_second_builder_is_turned_away(workshop: Workshop) -> None:
    workshop.table.mkdir(parents=True)
    with (workshop.table / "_LOCK").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(LibraryError, match="another build"):
            workshop.build()


def failures_of(workshop: Workshop) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = read_failures(workshop.table).to_pylist()
    return rows
