"""Functions that crash, hang and grow, each in a process of its own."""

import ctypes
import faulthandler
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import psutil
import pytest

from features.sandbox import Limits, RunFailedError, run_apart

ROOMY = Limits(time_s=30, memory_mb=1024)
SHORT = Limits(time_s=1, memory_mb=1024)


@pytest.fixture(autouse=True)
def nothing_stays_behind() -> Iterator[None]:
    me = psutil.Process()
    before, n_open = set(me.children(recursive=True)), me.num_fds()
    yield
    _, left = psutil.wait_procs(set(me.children(recursive=True)) - before, timeout=5)
    assert left == []
    assert me.num_fds() <= n_open  # what an earlier test left may go meanwhile


def failure_of(function: Callable[[], bytes], limits: Limits = ROOMY) -> RunFailedError:
    with pytest.raises(RunFailedError) as caught:
        run_apart(function, limits)
    return caught.value


@pytest.mark.parametrize("n_bytes", [0, 1, 100_000, 20_000_000])
def test_the_answer_comes_back_whole(n_bytes: int) -> None:
    answer = np.random.default_rng(1).bytes(n_bytes)
    assert run_apart(lambda: answer, ROOMY) == answer


def test_the_child_shares_nothing_that_it_changes() -> None:
    kept: list[int] = []

    def change() -> bytes:
        kept.append(1)
        os.environ["SEGUE_TEST_CHILD"] = "1"
        return str(os.getpid()).encode()

    assert int(run_apart(change, ROOMY)) != os.getpid()
    assert kept == []
    assert "SEGUE_TEST_CHILD" not in os.environ


def test_what_it_prints_goes_nowhere(capfd: pytest.CaptureFixture[str]) -> None:
    def chat() -> bytes:
        os.write(1, b"to the descriptor")
        os.write(2, b"to the other")
        return os.read(0, 100)

    assert run_apart(chat, SHORT) == b""
    assert capfd.readouterr() == ("", "")


def sleep_for_ever() -> bytes:
    while True:
        time.sleep(60)


def compute_for_ever() -> bytes:
    n = 0
    while True:
        n += 1


def ignore_every_signal() -> bytes:
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_IGN)
    return sleep_for_ever()


def stop_itself() -> bytes:
    os.kill(os.getpid(), signal.SIGSTOP)
    return b""


def leave_a_program_running() -> bytes:
    subprocess.Popen(["sleep", "600"])
    return sleep_for_ever()


@pytest.mark.parametrize(
    "function",
    [
        sleep_for_ever,
        compute_for_ever,
        ignore_every_signal,
        stop_itself,
        leave_a_program_running,
    ],
)
def test_what_does_not_return_is_ended(function: Callable[[], bytes]) -> None:
    start = time.monotonic()
    failure = failure_of(function, SHORT)
    assert failure.stage == "time"
    assert "more than 1 s" in str(failure)
    assert time.monotonic() - start < 3


def test_reading_a_pipe_that_nobody_writes_to_is_ended(tmp_path: Path) -> None:
    fifo = tmp_path / "endless.wav"
    os.mkfifo(fifo)
    assert failure_of(fifo.read_bytes, SHORT).stage == "time"


def open_pipes() -> set[int]:
    pipes = set()
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError):
            if os.readlink(f"/proc/self/fd/{name}").startswith("pipe:"):
                pipes.add(int(name))
    return pipes


def test_half_an_answer_is_ended() -> None:
    before = open_pipes()

    def answer_half() -> bytes:
        for fd in open_pipes() - before:
            with suppress(OSError):  # the end to read from
                # a length, and less than that
                os.write(fd, (1_000_000).to_bytes(8, "big") + b"half")
        return sleep_for_ever()

    start = time.monotonic()
    assert failure_of(answer_half, SHORT).stage == "time"
    assert time.monotonic() - start < 3


def test_an_answer_that_is_closed_early_is_ended() -> None:
    def close_all() -> bytes:
        os.closerange(3, 1000)
        return sleep_for_ever()

    start = time.monotonic()
    assert failure_of(close_all, SHORT).stage == "time"
    assert time.monotonic() - start < 3


def hoard_bytes() -> bytes:
    kept = bytearray()
    while True:
        kept += bytes(16 << 20)


def hoard_array() -> bytes:
    return np.ones(1 << 30).tobytes()


def hoard_by_malloc() -> bytes:
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    while block := libc.malloc(ctypes.c_size_t(1 << 20)):
        ctypes.memset(block, 1, 1 << 20)
    raise MemoryError


@pytest.mark.parametrize("function", [hoard_bytes, hoard_array, hoard_by_malloc])
def test_what_grows_without_end_is_ended(function: Callable[[], bytes]) -> None:
    failure = failure_of(function, Limits(time_s=30, memory_mb=600))
    assert failure.stage == "memory"
    assert "features.worker_memory_mb 600" in str(failure)


def test_what_fits_is_not_ended() -> None:
    def use() -> bytes:
        return bytes([int(np.ones(200 << 20, dtype=np.uint8)[-1])])

    # the child begins with what the process of the whole test run holds
    own_mb = psutil.Process().memory_info().rss >> 20
    assert run_apart(use, Limits(time_s=30, memory_mb=own_mb + 300)) == b"\x01"


def crash() -> bytes:
    faulthandler.disable()  # pytest's would show a traceback
    return ctypes.string_at(0)


def abort() -> bytes:
    faulthandler.disable()
    os.abort()


def fail() -> bytes:
    raise ValueError("not expected")


@pytest.mark.parametrize(
    ("function", "what"),
    [
        (crash, "SIGSEGV"),
        (abort, "SIGABRT"),
        (lambda: os.kill(os.getpid(), signal.SIGKILL), "SIGKILL"),
        (lambda: os._exit(3), "status 3"),
        (lambda: os._exit(0), "status 0"),
        (lambda: sys.exit(5), "status 1"),
        (fail, "status 1"),
    ],
)
def test_what_dies_is_told_with_its_cause(
    function: Callable[[], bytes], what: str
) -> None:
    failure = failure_of(function)
    assert failure.stage == "worker"
    assert what in str(failure)


def fork_and(then: Callable[[], object]) -> Callable[[], bytes]:
    def function() -> bytes:
        for _ in range(3):
            if os.fork() == 0:
                sleep_for_ever()
        then()
        return b"done"

    return function


def test_grandchildren_end_with_the_answer() -> None:
    assert run_apart(fork_and(lambda: None), ROOMY) == b"done"


@pytest.mark.parametrize(
    ("then", "stage"),
    [(sleep_for_ever, "time"), (crash, "worker")],
)
def test_grandchildren_end_with_the_child(
    then: Callable[[], object], stage: str
) -> None:
    start = time.monotonic()
    assert failure_of(fork_and(then), SHORT).stage == stage
    assert time.monotonic() - start < 3


def test_garbage_for_an_answer_is_a_failure() -> None:
    before = open_pipes()

    def answer_garbage() -> bytes:
        for fd in open_pipes() - before:
            with suppress(OSError):
                os.write(fd, b"\xff" * 1000)
        return sleep_for_ever()

    failure = failure_of(answer_garbage)
    assert failure.stage == "worker"


def test_a_child_ends_with_its_parent() -> None:
    """Nobody cleans up after a parent that is killed; the kernel does."""
    code = """
import time
from features.sandbox import Limits, run_apart
def tell():
    import os
    os.write(writer, str(os.getpid()).encode())
    time.sleep(600)
import os
writer = int(os.environ["WRITER"])
run_apart(tell, Limits(600, 1024))
"""
    reader, writer = os.pipe()
    environ = {**os.environ, "WRITER": str(writer)}
    parent = subprocess.Popen(
        [sys.executable, "-c", code], env=environ, pass_fds=[writer]
    )
    os.close(writer)
    child = psutil.Process(int(os.read(reader, 20)))
    os.close(reader)
    assert child.is_running()
    parent.kill()
    parent.wait()
    psutil.wait_procs([child], timeout=5)
    assert not child.is_running()


def test_many_runs_leave_nothing() -> None:
    for n in range(60):
        if n % 3:
            assert run_apart(lambda: b"x", ROOMY) == b"x"
        else:
            failure_of(lambda: os._exit(1))
