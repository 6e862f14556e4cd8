"""Start everything on one machine, show it, and stop it again."""

import fcntl
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from threading import Event
from typing import Final, NoReturn
from urllib.error import URLError
from urllib.request import urlopen

from pymongo.database import Database

from segue import indexes, services, store
from segue.builds import current_version
from segue.catalog import iter_audio_files
from segue.clock import system_clock
from segue.composer.progress import compose_with_bar
from segue.covers import covers_folder
from segue.demo_accounts import make_demo_accounts
from segue.demo_check import check_one_skip
from segue.errors import LibraryError, ServiceError, StreamError
from segue.library import scan_library
from segue.services import process
from segue.services.ports import free_port, require_free
from segue.services.topics import ensure_topics
from segue.settings import Settings
from segue.store import Document
from segue.submit import run_job
from segue.track_index import read_track_index

Report = Callable[[str], None]

STREAM: Final = "stream"
DASHBOARD: Final = "dashboard"
SIMULATOR: Final = "simulator"
_SEED: Final = 1
_READY_S: Final = 90.0
_LOOK_S: Final = 1.0


class Stages:
    """Says what is being done, and how long each stage took."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self._start = time.monotonic()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Report the time that the block takes."""
        self.report(f"── {name} …")
        start = time.monotonic()
        yield
        self.report(f"── {name}: {time.monotonic() - start:.1f} s")

    @property
    def elapsed_s(self) -> float:
        """Seconds since the first stage."""
        return time.monotonic() - self._start


def run_demo(
    settings: Settings,
    music: Path | None,
    *,
    check: bool,
    simulator: bool,
    report: Report,
) -> None:
    """Start all parts; then check them and stop, or run until Ctrl-C.

    Parameters
    ----------
    music : Path, optional
        The person's own folder; without one the demo library is composed.
    check : bool
        See one simulated skip change a list, in MongoDB and on the page.
    simulator : bool
        Whether simulated listeners play.

    Raises
    ------
    SegueError
        When a part cannot be started or dies, or the check fails. All that was started
        is stopped first.
    """
    with _only_demo(settings.home):
        _run(settings, music, check=check, simulator=simulator, report=report)


def _run(
    settings: Settings,
    music: Path | None,
    *,
    check: bool,
    simulator: bool,
    report: Report,
) -> None:
    for name in (SIMULATOR, STREAM, DASHBOARD):  # what a killed demo left behind
        process.stop(settings.home, name)
    # what has crashed is started anew, so it is the demo's to stop
    running = {name for name in process.names(settings.home) if _runs(settings, name)}
    # what would fail at the end is said at the beginning
    require_free(settings.dashboard.port, "SEGUE_DASHBOARD_PORT")
    if music is not None and next(iter_audio_files(music), None) is None:
        raise LibraryError(f"no music in {music}; give the folder that holds it")
    stages = Stages(report)
    try:
        ready = _start_all(settings, music, simulator=simulator, stages=stages)
        url = f"http://{ready.dashboard.host}:{ready.dashboard.port}/"
        report(f"ready after {stages.elapsed_s:.1f} s")
        if check:
            with stages.stage("check"):
                check_one_skip(ready, url, report)
        else:
            report(f"\n  Segue plays at {url}\n  analytics at {url}analytics\n")
            for account in make_demo_accounts(ready):
                report(f"  log in as {account.name:<8} {account.password}")
            report("  Ctrl-C stops everything\n")
            _watch(settings)
    except KeyboardInterrupt:
        report("stopping …")
        if check:
            raise
    finally:
        # a second signal must not leave processes behind
        for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(each, signal.SIG_IGN)
        services.down(settings, report, keep=running)


def _runs(settings: Settings, name: str) -> bool:
    child = process.find(settings.home, name)
    return child is not None and child.is_running


@contextmanager
def _only_demo(home: Path) -> Iterator[None]:
    """Hold `home` for this demo: two would stop each other's services."""
    services.require_home(home)
    with (home / "run" / "demo.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StreamError(
                f"a demo of {home} runs already; stop it with Ctrl-C, or give this one "
                "a SEGUE_HOME of its own and --free-ports"
            ) from None
        yield


def _start_all(
    settings: Settings, music: Path | None, *, simulator: bool, stages: Stages
) -> Settings:
    report = stages.report
    with stages.stage("services"):
        ready = services.up(settings, report)
        ensure_topics(ready, report)
        database = store.connect(ready.mongo)
        indexes.prepare(database)
    folder = music or settings.home / "music"
    if music is None:
        with stages.stage("demo library"):
            compose_with_bar(folder, _SEED, os.cpu_count() or 1)
    with stages.stage("catalogue"):
        covers = covers_folder(settings.home)
        found = scan_library(folder, database, system_clock, report, covers=covers)
        report(str(found))
    with stages.stage("features"):
        if _has_features(database, settings.home):
            report("all tracks of the catalogue are in the index")
        else:
            run_job(ready, "features", [str(folder.absolute())], report)
    with stages.stage("stream and dashboard"):
        return _start_long_running(ready, simulator=simulator)


def _has_features(database: Database[Document], home: Path) -> bool:
    """Tell whether Spark need not be started to find nothing to do."""
    if current_version(home / "index") is None:
        return False
    present = database[store.TRACKS].distinct("_id", {"missing": {"$ne": True}})
    return set(present) == set(read_track_index(home / "index").track_ids)


def _start_long_running(settings: Settings, *, simulator: bool) -> Settings:
    since = {"$gte": system_clock()}
    port = settings.dashboard.port or free_port()
    chosen = settings.dashboard.model_copy(update={"port": port})
    settings = settings.model_copy(update={"dashboard": chosen})
    ports = {"SEGUE_DASHBOARD_PORT": port}
    dashboard = _start(settings, DASHBOARD, "dashboard", ports)
    stream = _start(settings, STREAM, "stream")
    progress = store.connect(settings.mongo)[store.STREAM_PROGRESS]

    def queries_run() -> bool:
        return progress.count_documents({"updated_at": since}) > 0

    process.wait_until_ready(dashboard, lambda: _answers(settings), _READY_S)
    process.wait_until_ready(stream, queries_run, _READY_S)
    if simulator:
        _start(settings, SIMULATOR, "simulate")
        # the first batches load code and take ten times as long as those that follow
        lists = store.connect(settings.mongo)[store.RECOMMENDATIONS]
        process.wait_until_ready(
            stream, lambda: lists.find_one({"updated_at": since}) is not None, _READY_S
        )
    return settings


def _start(
    settings: Settings, name: str, verb: str, ports: dict[str, int] | None = None
) -> process.Child:
    argv = [sys.executable, "-m", "segue", verb]
    environment = os.environ | {
        "SEGUE_HOME": str(settings.home),
        "SEGUE_DASHBOARD_PORT": str(settings.dashboard.port),
    }
    return process.start(settings.home, name, argv, environment, ports)


def _answers(settings: Settings) -> bool:
    url = f"http://{settings.dashboard.host}:{settings.dashboard.port}/healthz"
    try:
        with urlopen(url, timeout=1.0) as answer:
            return bool(answer.status == HTTPStatus.OK)
    except (URLError, OSError):
        return False


def _watch(settings: Settings) -> NoReturn:
    """Look after the parts; raise when one dies."""
    pause = Event()
    while True:
        pause.wait(_LOOK_S)
        for name in process.names(settings.home):
            child = process.find(settings.home, name)
            if child is not None and not child.is_running:
                raise ServiceError(
                    f"{name} has died, so everything was stopped; start the demo again "
                    "and it goes on where it stood. The end of "
                    f"{child.log}:\n{process.log_tail(child)}"
                )
