"""`segue demo` from its start to Ctrl-C, on a tiny library."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import psutil
import pytest

from segue import services
from segue.demo_check import check_one_skip
from segue.services import process
from segue.services.ports import port_is_free
from segue.settings import load_settings
from tests.integration.test_end_to_end import write_music

pytestmark = [
    pytest.mark.kafka,
    pytest.mark.mongo,
    pytest.mark.spark,
    pytest.mark.browser,
    pytest.mark.slow,
]


@pytest.fixture
def home(tmp_path: Path, jars: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "jars").symlink_to(jars)
    return folder


@pytest.fixture
def music(tmp_path: Path, rng: np.random.Generator) -> Path:
    folder = tmp_path / "music"
    folder.mkdir()
    write_music(folder, rng)
    (folder / "text.mp3").write_text("this is no audio")
    (folder / "empty.flac").touch()
    return folder


def start_demo(home: Path, music: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "segue", "demo", "--free-ports", "--music", str(music)],
        env={**os.environ, "SEGUE_HOME": str(home)},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )


def test_a_check_passes_and_ctrl_c_stops_everything(home: Path, music: Path) -> None:
    leave_crashed(home, "kafka")  # the demo starts it anew, so the demo stops it
    demo = start_demo(home, music)
    assert demo.stderr is not None
    line = next(line for line in demo.stderr if "Segue plays at" in line)
    children = [process.find(home, name) for name in process.names(home)]
    started = [child for child in children if child is not None]
    names = {"kafka", "mongo", "stream", "dashboard", "simulator"}
    assert {child.name for child in started} == names

    settings = services.with_endpoints(load_settings({"SEGUE_HOME": str(home)}))
    said: list[str] = []
    check_one_skip(settings, line.split()[-1], said.append)
    assert any(text.startswith("skip: list on the page after") for text in said)

    demo.send_signal(signal.SIGINT)
    demo.stderr.read()
    assert demo.wait(timeout=60) == 0
    demo.stderr.close()
    assert process.names(home) == []
    leaders = {child.pid for child in started}
    assert not [pid for pid in psutil.pids() if session_of(pid) in leaders]
    assert all(port_is_free(p) for child in started for p in child.ports.values())


def leave_crashed(home: Path, name: str) -> None:
    """Leave the state file of a service that has died."""
    child = process.start(home, name, [sys.executable, "-c", ""])
    psutil.wait_procs([p for p in psutil.process_iter() if p.pid == child.pid])
    assert process.names(home) == [name]


def session_of(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return None
