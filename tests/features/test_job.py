"""The job as a process of its own, as `segue features build` runs it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pyarrow as pa
import pytest

from features.growing import indexed_tracks
from features.job import FeatureJob
from features.spec import FeatureSpec
from features.table import read_failures, read_tracks, table_folder
from segue import indexes, store
from segue.audio_reports import AudioReport
from segue.builds import current_version
from segue.clock import system_clock
from segue.covers import covers_folder
from segue.errors import LibraryError
from segue.library import scan_library
from segue.settings import Settings
from tests.features.sounds import write_sound

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

JOB = Path(__file__).resolve().parents[2] / "features" / "job.py"
pytestmark = [pytest.mark.spark, pytest.mark.slow]


def start(
    java: Path, home: Path, music: Path, *flags: str, **settings: str
) -> subprocess.Popen[str]:
    environ = {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        "JAVA_HOME": str(java.resolve().parent.parent),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_MASTER": "local[2,4]",
        "SEGUE_HOME": str(home),
        **settings,
    }
    return subprocess.Popen(
        [sys.executable, JOB, music, *flags],
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def run(java: Path, home: Path, music: Path, **settings: str) -> dict[str, Any]:
    out, err = start(java, home, music, **settings).communicate(timeout=300)
    assert out, err
    report: dict[str, Any] = json.loads(out)
    return report


def table(home: Path) -> pa.Table:
    rows = read_tracks(table_folder(home, FeatureSpec()))
    return rows.drop_columns(["extracted_at"])


def kill_group(process: subprocess.Popen[str]) -> None:
    """End the job with all that it started, at once, as a power cut would."""
    members = [
        process.pid,
        *(p.pid for p in psutil.Process(process.pid).children(True)),
    ]
    os.killpg(process.pid, signal.SIGKILL)
    for pid in members[1:]:  # those that left the group
        if psutil.pid_exists(pid):
            os.kill(pid, signal.SIGKILL)
    process.communicate()


def test_a_killed_build_goes_on_and_ends_with_the_table_of_a_clean_one(
    java: Path, tmp_path: Path, spark: "SparkSession"
) -> None:
    music, n_files = tmp_path / "music", 12
    for seed in range(n_files):
        write_sound(music / f"{seed}.flac", seed, duration_s=4, rate_hz=44_100)
    small_steps = {"SEGUE_FEATURES_FILES_PER_COMMIT": "4"}

    home = tmp_path / "killed"
    process = start(java, home, music, **small_steps)
    tracks = table_folder(home, FeatureSpec()) / "tracks"
    while not list(tracks.glob("*.parquet")):
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    kill_group(process)  # in the extraction of the next files
    n_before = table(home).num_rows
    assert 1 <= n_before < n_files

    again = run(java, home, music, **small_steps)
    assert (again["known"], again["new"]) == (n_before, n_files - n_before)

    undisturbed = Settings(home=tmp_path / "undisturbed")
    clean = FeatureJob(spark, music, undisturbed).run()
    assert clean.files.new == n_files
    assert table(home).equals(table(undisturbed.home))
    assert again["index_version"] == clean.index_version
    assert current_version(home / "index") == clean.index_version


@pytest.mark.mongo
def test_folders_that_were_added_to_the_library_are_in_the_index(
    settings: Callable[..., Settings], tmp_path: Path, spark: "SparkSession"
) -> None:
    ours, music, added = settings(), tmp_path / "music", tmp_path / "added"
    for seed in range(3):
        write_sound(music / f"{seed}.flac", seed)
    write_sound(added / "more.flac", 9)
    database = store.connect(ours.mongo)
    try:
        indexes.prepare(database)
        covers = covers_folder(ours.home)
        scan_library(added, database, system_clock, print, covers=covers, adds=True)
        built = FeatureJob(spark, music, ours).run()
        assert (built.files.new, built.n_tracks) == (4, 4)
        present = {"missing": False}
        assert database[store.TRACKS].count_documents(present) == 4
        assert FeatureJob(spark, music, ours).run().files.known == 4
        # without MongoDB they are those that were last seen there
        alone = Settings(home=ours.home)
        assert FeatureJob(spark, music, alone).run().n_tracks == 4
        # and of a disk that is away nothing leaves the index
        music.rename(tmp_path / "away")
        music.mkdir()
        with pytest.raises(LibraryError, match="The index stays as it was"):
            FeatureJob(spark, music, ours).run()
        assert len(indexed_tracks(ours.home / "index")) == 4
    finally:
        database.client.close()


@pytest.mark.mongo
def test_a_build_writes_a_report_of_its_index(
    settings: Callable[..., Settings], tmp_path: Path, spark: "SparkSession"
) -> None:
    ours, music = settings(), tmp_path / "music"
    for seed in range(3):
        write_sound(music / "A" / f"{seed}.flac", seed)
    shutil.copy(music / "A" / "0.flac", music / "copy.flac")
    (music / "A" / "broken.mp3").write_bytes(b"no sound at all")
    database = store.connect(ours.mongo)
    try:
        built = FeatureJob(spark, music, ours).run()
        (told,) = database[store.AUDIO_REPORTS].find()
        report = AudioReport.model_validate(told)
        assert (report.version, report.n_tracks) == (built.index_version, 3)
        assert [each.path for each in report.failures.newest] == ["A/broken.mp3"]
        (copies,) = report.copies.largest
        assert copies.first == ["A/0.flac", "copy.flac"]
        FeatureJob(spark, music, ours).run()  # of nothing new there is no new report
        assert database[store.AUDIO_REPORTS].find_one() == told
        database[store.AUDIO_REPORTS].delete_many({})
        write_sound(music / "A" / "3.flac", 3)
        assert FeatureJob(spark, music, ours).run(reports=False).n_tracks == 4
        assert database[store.AUDIO_REPORTS].find_one() is None
        built = FeatureJob(spark, music, ours).run()
        # another broken file, and the same index
        (music / "A" / "empty.mp3").touch()
        assert FeatureJob(spark, music, ours).run().index_version == built.index_version
        (told,) = database[store.AUDIO_REPORTS].find()
        assert AudioReport.model_validate(told).failures.n_files == 2
    finally:
        database.client.close()


@pytest.mark.mongo
def test_a_report_that_cannot_be_written_costs_no_build(
    settings: Callable[..., Settings],
    tmp_path: Path,
    spark: "SparkSession",
    capfd: pytest.CaptureFixture[str],
) -> None:
    ours, music = settings(), tmp_path / "music"
    write_sound(music / "1.flac", 1)
    database = store.connect(ours.mongo)
    try:
        never = {"_id": {"$exists": False}}
        database.create_collection(store.AUDIO_REPORTS, validator=never)
        assert FeatureJob(spark, music, ours).run().n_tracks == 1
        assert database[store.TRACKS].count_documents({}) == 1
    finally:
        database.client.close()
    assert "the report on the audio space was not written: " in capfd.readouterr().err


def test_a_folder_without_any_track_is_an_error_without_a_traceback(
    java: Path, tmp_path: Path
) -> None:
    music, home = tmp_path / "music", tmp_path / "home"
    music.mkdir()
    (music / "text.mp3").write_text("this is no music " * 99)

    process = start(java, home, music)
    _, err = process.communicate(timeout=300)
    assert "no features from" in err
    failures = read_failures(table_folder(home, FeatureSpec())).to_pylist()
    assert [row["stage"] for row in failures] == ["decode"]
    assert process.returncode == 1  # no track at all, so no index
    assert "Error: no track" in err
    assert "Traceback" not in err


def test_watching_takes_a_new_file_within_ten_seconds_and_ctrl_c_ends_it(
    java: Path, tmp_path: Path
) -> None:
    music, home = tmp_path / "music", tmp_path / "home"
    for seed in range(8):
        write_sound(music / f"{seed}.flac", seed)
    process = start(java, home, music, "--watch")
    assert process.stdout is not None
    try:
        first = json.loads(process.stdout.readline())
        assert (first["new"], first["n_tracks"]) == (8, 8)

        write_sound(tmp_path / "aside.flac", seed=99, duration_s=5)
        dropped = time.monotonic()
        shutil.copyfile(tmp_path / "aside.flac", music / "new.flac")
        second = json.loads(process.stdout.readline())
        assert time.monotonic() - dropped < 10
        assert (second["known"], second["new"], second["n_tracks"]) == (8, 1, 9)
        assert current_version(home / "index") == second["index_version"]

        (music / "0.flac").unlink()
        assert json.loads(process.stdout.readline())["n_tracks"] == 8

        members = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        assert process.returncode == 0
        assert "stopped" in err
        _, alive = psutil.wait_procs(members, timeout=20)
        assert alive == []
    finally:
        if process.poll() is None:
            kill_group(process)


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("nowhere", {}, "no folder"),
        ("music", {"SEGUE_FEATURES_FILE_TIMEOUT": "1"}, "FILE_TIMEOUT_S"),
    ],
)
def test_wrong_use_ends_with_one_clear_line(
    java: Path, tmp_path: Path, name: str, settings: dict[str, str], message: str
) -> None:
    (tmp_path / "music").mkdir()
    process = start(java, tmp_path / "home", tmp_path / name, **settings)
    out, err = process.communicate(timeout=120)
    assert (process.returncode, out) == (1, "")
    assert "Error:" in err
    assert message in err
    assert "Traceback" not in err
