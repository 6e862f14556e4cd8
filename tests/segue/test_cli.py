"""The command line as a person meets it: exit statuses and one clear line."""

import os
import subprocess
import sys
from pathlib import Path

from segue.services.ports import free_port


def segue(home: Path, *args: str, **variables: str) -> tuple[int, str]:
    """Run a verb; return its exit status and all that it said."""
    done = subprocess.run(
        [sys.executable, "-m", "segue", *args],
        env={**os.environ, "SEGUE_HOME": str(home), **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.returncode, done.stdout + done.stderr


def test_every_verb_has_help_worth_reading(tmp_path: Path) -> None:
    status, said = segue(tmp_path, "--help")
    assert status == 0
    for verb in ("up", "down", "status", "topics", "demo", "stream", "simulate"):
        status, said = segue(tmp_path, verb, "--help")
        assert (status, "Usage: " in said, len(said) > 100) == (0, True, True)


def test_wrong_use_is_status_2_with_a_suggestion(tmp_path: Path) -> None:
    status, said = segue(tmp_path, "simulat")
    assert (status, "Did you mean 'simulate'?" in said) == (2, True)
    status, said = segue(tmp_path, "status", SEGUE_KAFKA_PRT="1")
    assert (status, "did you mean SEGUE_KAFKA_PORT?" in said) == (2, True)


def test_a_home_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    status, said = segue(tmp_path / "file" / "home", "up")
    assert (status, "SEGUE_HOME" in said, "Traceback" in said) == (2, True, False)


def test_nothing_running_is_status_1(tmp_path: Path) -> None:
    assert segue(tmp_path, "status")[0] == 1


def test_a_folder_without_music_is_said_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "music").mkdir()
    status, said = segue(
        tmp_path / "home", "demo", "--free-ports", "--music", str(tmp_path / "music")
    )
    assert (status, "no music in" in said, "kafka" in said) == (1, True, False)


def test_a_verb_for_kafka_alone_asks_for_kafka_alone(tmp_path: Path) -> None:
    address = f"127.0.0.1:{free_port()}"
    status, said = segue(tmp_path, "topics", SEGUE_KAFKA_BOOTSTRAP=address)
    assert (status, address in said, "MongoDB" in said) == (1, True, False)
