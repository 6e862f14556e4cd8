"""Run a function in a process of its own, which may die without harm.

The child is a fork, so whatever was loaded and compiled before is there at once. It
has a limit of time and memory, a process group of its own with all that it starts, and
nothing to write to but the pipe with its answer. Bytes come back and nothing else:
what a broken decoder leaves behind is never unpickled. Linux only.
"""

import ctypes
import gc
import math
import os
import resource
import select
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from struct import Struct
from time import monotonic, sleep
from typing import Final, NoReturn

import psutil

_PR_SET_PDEATHSIG: Final = 1
_OUT_OF_MEMORY: Final = 77
_LENGTH: Final = Struct("!Q")
_MAX_ANSWER_BYTES: Final = 64 << 20
_CHUNK_BYTES: Final = 1 << 20
_LOOK_S: Final = 0.25
_SOON_S: Final = 0.005


@dataclass(frozen=True, slots=True)
class Limits:
    """What one run may take.

    Attributes
    ----------
    time_s : float
        Seconds on the clock.
    memory_mb : int
        MiB of the process, and of each that it starts.
    """

    time_s: float
    memory_mb: int


class RunFailedError(Exception):
    """A run gave no answer.

    Attributes
    ----------
    stage : str
        `time`, `memory`, or `worker` for a process that died of itself.
    """

    def __init__(self, stage: str, cause: str) -> None:
        super().__init__(cause)
        self.stage = stage


def run_apart(function: Callable[[], bytes], limits: Limits) -> bytes:
    """Return what `function` returns, computed in a process of its own.

    `function` should turn the errors that it expects into bytes, too; an exception
    ends its process.

    Raises
    ------
    RunFailedError
        When the process dies, or takes more than its limits.
    """
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        _answer(function, writer, limits)
    os.close(writer)
    _own_group(pid)
    try:
        return _read_answer(reader, pid, limits)
    finally:
        os.close(reader)
        _end(pid)


def _answer(function: Callable[[], bytes], writer: int, limits: Limits) -> NoReturn:
    """Compute and send the answer, then leave without any clean-up of the parent's."""
    code = 1
    try:
        gc.disable()  # a sweep would touch, and so copy, all that the parent ever made
        _confine(limits)
        content = function()
        with open(writer, "wb", closefd=False) as pipe:
            pipe.write(_LENGTH.pack(len(content)))
            pipe.write(content)
        code = 0
    except MemoryError:
        code = _OUT_OF_MEMORY
    finally:
        os._exit(code)


def _read_answer(reader: int, pid: int, limits: Limits) -> bytes:
    """Wait for a whole answer, whatever the process does to the pipe meanwhile."""
    deadline_s = monotonic() + limits.time_s
    content, is_open = bytearray(), True
    answers = select.poll()
    answers.register(reader, select.POLLIN)
    while (left_s := deadline_s - monotonic()) > 0:
        wait_s = min(left_s, _LOOK_S if is_open else _SOON_S)
        if not is_open:
            sleep(wait_s)
        elif answers.poll(wait_s * 1000):
            chunk = os.read(reader, _CHUNK_BYTES)
            content += chunk
            is_open = bool(chunk)
            if (whole := _whole(content)) is not None:
                return whole
            continue
        # its own children may keep the pipe open when it is gone
        if gone := os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            raise _death(gone, limits)
    raise RunFailedError(
        "time", f"it took more than {limits.time_s:.0f} s and was ended"
    )


def _whole(content: bytearray) -> bytes | None:
    """Return the answer when all of it is there."""
    if len(content) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack_from(content)
    if length > _MAX_ANSWER_BYTES:
        raise RunFailedError("worker", f"it would answer with {length} bytes")
    is_whole = len(content) >= _LENGTH.size + length
    return bytes(content[_LENGTH.size :][:length]) if is_whole else None


def _confine(limits: Limits) -> None:
    _own_group(0)
    # when the parent is killed, no child stays behind
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD):
        signal.signal(each, signal.SIG_DFL)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # what it starts may outlive it and everybody else, but not run on for ever
    cpu_s = math.ceil(limits.time_s) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))
    _limit_memory(limits.memory_mb << 20)


def _limit_memory(memory_bytes: int) -> None:
    """Let this process grow until it holds `memory_bytes`.

    Address space that is reserved but not used (by allocators) does not count.
    """
    me = psutil.Process().memory_info()
    wanted = me.data + max(0, memory_bytes - me.rss)
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (allowed, allowed))


def _own_group(pid: int) -> None:
    with suppress(OSError):  # the child was faster, or is gone
        os.setpgid(pid, pid)


def _death(gone: os.waitid_result, limits: Limits) -> RunFailedError:
    if gone.si_code != os.CLD_EXITED:
        name = signal.Signals(gone.si_status).name
        return RunFailedError("worker", f"the process that read it died of {name}")
    if gone.si_status == _OUT_OF_MEMORY:
        cause = f"it takes more than features.worker_memory_mb {limits.memory_mb}"
        return RunFailedError("memory", cause)
    cause = f"the process that read it ended with status {gone.si_status}"
    return RunFailedError("worker", cause)


def _end(pid: int) -> None:
    """End what is left of the group, and the child where it was not waited for."""
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    with suppress(ChildProcessError):
        os.waitpid(pid, 0)
