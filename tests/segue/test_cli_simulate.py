"""The verb `simulate`: into a file, with its truth, and stopped halfway."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from segue.cli import main
from segue.events import parse_event
from segue.settings import Settings
from segue.track_index import write_track_index
from tests.factories import create_index


@pytest.fixture
def home(tmp_path: Path) -> Path:
    write_track_index(tmp_path / "index", create_index(n_tracks=300, n_dims=12))
    return tmp_path


def simulate(home: Path, *args: str) -> tuple[int, str]:
    settings = Settings.model_validate({"home": home})
    said = CliRunner().invoke(main, ["simulate", *args], obj=settings)
    return said.exit_code, said.output


def test_a_run_into_a_file_is_the_same_again_and_tells_the_truth(home: Path) -> None:
    out, truth = home / "events.jsonl", home / "truth.jsonl"
    told = ["--out", str(out), "--truth", str(truth), "--start", "2026-05-03"]
    more = ["--rate", "20", "--change-every", "600", "--events", "6000", "--check"]
    status, said = simulate(home, *told, *more)
    assert status == 0, said
    assert "100.0% of listeners nearer than chance" in said
    assert len(out.read_bytes().splitlines()) == 6000
    whole = out.read_bytes()
    simulate(home, *told, *more)
    assert out.read_bytes() == whole


def test_the_longest_ids_are_still_ids(home: Path) -> None:
    told = ["--names", "a" * 16, "--seed", str(2**31 - 1), "--listeners", "20000"]
    out = home / "events.jsonl"
    more = ["--rate", "50000", "--events", "60000", "--out", str(out)]
    assert simulate(home, *told, *more)[0] == 0
    assert all(parse_event(line) for line in out.read_bytes().splitlines()[::100])


def test_wrong_use_is_said(home: Path) -> None:
    for args, why in (
        (["--check"], "give --out FILE"),
        (["--rate", "5", "--lifelike"], "exclude each other"),
        (["--rate", "50001"], "50001"),
        (["--events", "5"], "no Kafka"),
        (["--speed", "60"], "give a --start"),
        (["--start", "2999-01-01"], "has not come yet"),
        (["--names", "a b"], "cannot begin the name"),
        (["--names", "a" * 17], "at most 16"),
        (["--seed", "-1"], "want 0 or more"),
    ):
        status, said = simulate(home, *args)
        assert status in (1, 2)
        assert why in said


def test_ctrl_c_leaves_whole_files_and_is_status_130(home: Path) -> None:
    out, truth = home / "events.jsonl", home / "truth.jsonl"
    args = ["simulate", "--out", str(out), "--truth", str(truth), "--speed", "1"]
    process = subprocess.Popen(
        [sys.executable, "-m", "segue", *args, "--rate", "500"],
        env={**os.environ, "SEGUE_HOME": str(home)},
        stdout=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not (out.exists() and out.stat().st_size) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    lines = out.read_bytes().splitlines()
    assert f"{len(lines)} messages of" in said
    assert all(parse_event(line) for line in lines)
    assert truth.read_bytes().splitlines()[-1].startswith(b'{"kind":"end"')
