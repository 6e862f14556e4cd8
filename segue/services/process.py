"""Named child processes that outlive the one that started them.

Each child leads a session of its own, so that Ctrl-C in a terminal does not reach it
and everything it starts can be found again. What is known of it lies in
`home/run/NAME.json`, what it prints in `home/log/NAME.log`. A pid alone proves
nothing (it may have been given to another process since), so the moment at which
the process was created is kept beside it.
"""

import fcntl
import json
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import psutil

from segue.errors import ServiceError
from segue.services.ports import require_free

POLL_S: Final = 0.05
STOP_TIMEOUT_S: Final = 20.0
_FORCED_S: Final = 5.0
_LOG_TAIL_LINES: Final = 12
_LOG_TAIL_BYTES: Final = 16_384
_SAME_MOMENT_S: Final = 0.5


@dataclass(frozen=True)
class Child:
    """A process that was started here.

    Attributes
    ----------
    name : str
        `kafka`, `mongo`, `stream` …
    pid : int
        It leads the session of the same number.
    created_at : float
        When the system created the process, in seconds since 1970.
    argv : list of str
        Its command line.
    ports : dict
        Setting that chooses a port → port on which it listens.
    log : Path
        What it prints.
    """

    name: str
    pid: int
    created_at: float
    argv: list[str]
    ports: dict[str, int]
    log: Path

    @property
    def is_running(self) -> bool:
        """Whether this very process still runs."""
        process = _process(self.pid)
        return process is not None and _is_same(process, self.created_at)


def start(
    home: Path,
    name: str,
    argv: Sequence[str | Path],
    env: Mapping[str, str] | None = None,
    ports: Mapping[str, int] | None = None,
) -> Child:
    """Start a child, or return the one of this name that already runs.

    Parameters
    ----------
    home : Path
        Folder of all state.
    name : str
        What the child is called; one of a name runs at a time.
    argv : sequence
        Program and arguments.
    env : mapping, optional
        The child's whole environment; default is this process's own.
    ports : mapping, optional
        Setting → port on which the child will listen.

    Raises
    ------
    PortInUseError
        When somebody listens on one of `ports`.
    ServiceError
        When the program cannot be run.
    """
    running = find(home, name)
    if running is not None and running.is_running:
        return running
    if running is not None:  # it crashed; what it started may still be there
        stop(home, name)
    for setting, port in (ports or {}).items():
        require_free(port, setting)
    log = _file(home, "log", name)
    command = [str(part) for part in argv]
    process = _spawn(name, command, env, log)
    created_at = psutil.Process(process.pid).create_time()
    child = Child(name, process.pid, created_at, command, dict(ports or {}), log)
    _write_state(_file(home, "run", name), child)
    # somebody has to collect the exit status, or the dead child stays as a zombie
    threading.Thread(target=process.wait, daemon=True, name=f"reap-{name}").start()
    return child


def find(home: Path, name: str) -> Child | None:
    """Return the child of this name, whether it runs or has crashed."""
    try:
        fields = json.loads(_path(home, "run", name).read_text(encoding="utf-8"))
        return Child(**{**fields, "log": Path(fields["log"])})
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        return None


def names(home: Path) -> list[str]:
    """Return the names of all children, the one started first at the front."""
    children = [find(home, path.stem) for path in (home / "run").glob("*.json")]
    known = [child for child in children if child is not None]
    return [child.name for child in sorted(known, key=lambda child: child.created_at)]


def stop(home: Path, name: str, timeout_s: float = STOP_TIMEOUT_S) -> bool:
    """End a child and all that it started; return whether there was anything to end.

    The child gets SIGTERM and `timeout_s` seconds; what is left then gets SIGKILL.
    """
    child = find(home, name)
    if child is None:
        return False
    members = _members(child)
    leader = [process for process in members if process.pid == child.pid]
    _signal_and_wait(leader, psutil.Process.terminate, timeout_s)
    rest = _members(child)
    _signal_and_wait(rest, psutil.Process.terminate, min(timeout_s, _FORCED_S))
    _signal_and_wait(_members(child), psutil.Process.kill, _FORCED_S)
    _path(home, "run", name).unlink(missing_ok=True)
    return bool(members)


def kill(home: Path, name: str) -> None:
    """Send SIGKILL to a child and to all that it started, as a crash would."""
    child = find(home, name)
    members = _members(child) if child is not None else []
    _signal_and_wait(members, psutil.Process.kill, _FORCED_S)


def log_tail(child: Child) -> str:
    """Return the last lines that the child printed."""
    try:
        with child.log.open("rb") as file:
            file.seek(max(0, child.log.stat().st_size - _LOG_TAIL_BYTES))
            text = file.read().decode("utf-8", errors="replace")
    except FileNotFoundError:
        return "(its log is gone)"
    return "\n".join(text.splitlines()[-_LOG_TAIL_LINES:]) or "(it printed nothing)"


def wait_until_ready(
    child: Child, is_ready: Callable[[], bool], timeout_s: float
) -> None:
    """Ask a child again and again until it is ready.

    Parameters
    ----------
    child : Child
        Who is asked.
    is_ready : callable
        Asks once, and is quick about it.
    timeout_s : float
        How long to keep asking.

    Raises
    ------
    ServiceError
        With the last lines of the log: at once when the child has died, else when
        the time is over.
    """
    deadline = time.monotonic() + timeout_s
    while not is_ready():
        if not child.is_running:
            raise ServiceError(
                f"{child.name} crashed while starting; the end of {child.log}:\n"
                f"{log_tail(child)}"
            )
        if time.monotonic() > deadline:
            raise ServiceError(
                f"{child.name} did not get ready within {timeout_s:.0f} s; "
                f"the end of {child.log}:\n{log_tail(child)}"
            )
        time.sleep(POLL_S)


@contextmanager
def locked(home: Path, name: str) -> Iterator[None]:
    """Keep other processes that use the same `home` out meanwhile."""
    path = home / "run" / f"{name}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _spawn(
    name: str, command: list[str], env: Mapping[str, str] | None, log: Path
) -> subprocess.Popen[bytes]:
    try:
        with log.open("wb") as output:
            return subprocess.Popen(  # noqa: S603 - what to start is the caller's say
                command,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
    except OSError as error:
        raise ServiceError(
            f"cannot start {name}: {command[0]}: {error.strerror}"
        ) from error


def _write_state(path: Path, child: Child) -> None:
    fields = {**asdict(child), "log": str(child.log)}
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    temporary.write_text(json.dumps(fields, indent=1), encoding="utf-8")
    temporary.replace(path)


def _path(home: Path, kind: str, name: str) -> Path:
    suffix = {"run": "json", "log": "log"}[kind]
    return home.resolve() / kind / f"{name}.{suffix}"


def _file(home: Path, kind: str, name: str) -> Path:
    path = _path(home, kind, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _process(pid: int) -> psutil.Process | None:
    """Return the live process of this number; a zombie has ended."""
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        if process.status() != psutil.STATUS_ZOMBIE:
            return process
    return None


def _is_same(process: psutil.Process, created_at: float) -> bool:
    with suppress(psutil.NoSuchProcess):
        return abs(process.create_time() - created_at) < _SAME_MOMENT_S
    return False


def _members(child: Child) -> list[psutil.Process]:
    """Return the live processes of the child's session.

    The system gives no number away that still names a session. So when another
    process has the child's number, nothing of the child's session is left.
    """
    leader = _process(child.pid)
    if leader is not None and not _is_same(leader, child.created_at):
        return []
    processes = map(_process, psutil.pids())
    return [process for process in processes if process and _is_in(process, child.pid)]


def _is_in(process: psutil.Process, session: int) -> bool:
    with suppress(ProcessLookupError, PermissionError):
        return os.getsid(process.pid) == session
    return False


def _signal_and_wait(
    processes: list[psutil.Process],
    send: Callable[[psutil.Process], None],
    timeout_s: float,
) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            send(process)
    psutil.wait_procs(processes, timeout=timeout_s)
