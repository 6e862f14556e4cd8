import json
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from segue.errors import PortInUseError, ServiceError
from segue.services import process
from segue.services.ports import free_port

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
# starts another process, and neither heeds SIGTERM
STUBBORN_PAIR = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen([sys.executable, "-c",
  "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
  "print('ready', flush=True); time.sleep(600)"])
time.sleep(600)
"""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    for name in process.names(tmp_path):
        process.stop(tmp_path, name, timeout_s=0.1)


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


def session_members(pid: int) -> list[int]:
    members = []
    for other in psutil.process_iter(["status"]):
        try:
            in_session = os.getsid(other.pid) == pid
        except ProcessLookupError:
            continue
        if in_session and other.info["status"] != psutil.STATUS_ZOMBIE:
            members.append(other.pid)
    return members


def test_a_child_is_found_again_and_stopped(home: Path) -> None:
    child = process.start(home, "sleeper", SLEEP)
    assert child.is_running
    assert process.find(home, "sleeper") == child
    assert process.names(home) == ["sleeper"]
    assert process.stop(home, "sleeper")
    assert not child.is_running
    assert process.names(home) == []
    assert not process.stop(home, "sleeper")


def test_starting_twice_gives_the_same_child(home: Path) -> None:
    first = process.start(home, "sleeper", SLEEP)
    assert process.start(home, "sleeper", SLEEP) == first


def test_children_are_listed_in_the_order_of_their_start(home: Path) -> None:
    for name in ("zebra", "ant"):
        process.start(home, name, SLEEP)
        time.sleep(0.02)
    assert process.names(home) == ["zebra", "ant"]


def test_a_child_sees_the_environment_that_it_was_given(home: Path) -> None:
    show = [sys.executable, "-c", "import os; print(os.environ.get('SHOWN'))"]
    child = process.start(home, "show", show, env={"SHOWN": "yes"})
    wait_for(lambda: not child.is_running)
    assert process.log_tail(child) == "yes"


def test_stop_ends_what_the_child_started_even_if_it_does_not_want_to(
    home: Path,
) -> None:
    child = process.start(home, "pair", [sys.executable, "-c", STUBBORN_PAIR])
    wait_for(lambda: "ready" in process.log_tail(child))
    assert len(session_members(child.pid)) == 2
    process.stop(home, "pair", timeout_s=0.2)
    assert session_members(child.pid) == []


def test_orphans_of_a_crashed_child_are_ended_before_it_starts_again(
    home: Path,
) -> None:
    child = process.start(home, "pair", [sys.executable, "-c", STUBBORN_PAIR])
    wait_for(lambda: "ready" in process.log_tail(child))
    os.kill(child.pid, signal.SIGKILL)
    wait_for(lambda: not child.is_running)
    assert len(session_members(child.pid)) == 1
    again = process.start(home, "pair", SLEEP)
    assert again.pid != child.pid
    assert session_members(child.pid) == []


def test_a_stale_state_file_does_not_name_another_process(home: Path) -> None:
    """The pid lives, but belongs to somebody else: to this test."""
    child = process.start(home, "sleeper", SLEEP)
    process.stop(home, "sleeper")
    stale = replace(child, pid=os.getpid())
    fields = {**vars(stale), "log": str(stale.log)}
    (home / "run" / "sleeper.json").write_text(json.dumps(fields))
    found = process.find(home, "sleeper")
    assert found is not None
    assert not found.is_running
    assert not process.stop(home, "sleeper")  # and this test was not stopped
    assert process.start(home, "sleeper", SLEEP).is_running


@pytest.mark.parametrize("content", ["", "{", '{"pid": 1}', "[]"])
def test_a_damaged_state_file_is_as_good_as_none(home: Path, content: str) -> None:
    (home / "run").mkdir()
    (home / "run" / "sleeper.json").write_text(content)
    assert process.find(home, "sleeper") is None
    assert process.names(home) == []
    assert process.start(home, "sleeper", SLEEP).is_running


def test_a_used_port_names_who_has_it_and_what_to_set(home: Path) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        with pytest.raises(PortInUseError) as caught:
            process.start(home, "sleeper", SLEEP, ports={"SEGUE_KAFKA_PORT": port})
    message = str(caught.value)
    assert f"port {port}" in message
    assert f"process {os.getpid()}" in message
    assert "SEGUE_KAFKA_PORT" in message
    assert process.names(home) == []


def test_a_program_that_is_not_there_is_one_clear_error(home: Path) -> None:
    with pytest.raises(ServiceError, match="cannot start ghost: /no/such/program"):
        process.start(home, "ghost", ["/no/such/program"])
    assert process.names(home) == []


def test_a_child_that_crashes_while_starting_shows_the_end_of_its_log(
    home: Path,
) -> None:
    crash = [sys.executable, "-c", "raise SystemExit('no room for the data')"]
    child = process.start(home, "crash", crash)
    start = time.monotonic()
    with pytest.raises(ServiceError, match=r"crashed[\s\S]*no room for the data"):
        process.wait_until_ready(child, lambda: False, timeout_s=30)
    assert time.monotonic() - start < 10


def test_a_child_that_does_not_get_ready_in_time_is_an_error(home: Path) -> None:
    child = process.start(home, "sleeper", SLEEP)
    with pytest.raises(ServiceError, match="not get ready within 0 s"):
        process.wait_until_ready(child, lambda: False, timeout_s=0.1)


def test_free_ports_can_be_listened_on() -> None:
    port = free_port()
    with socket.socket() as server:
        server.bind(("127.0.0.1", port))
