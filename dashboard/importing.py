"""One import of music at a time: a scan in a process of its own, and how far it is."""

import asyncio
import json
import logging
import os
import sys
from asyncio.subprocess import Process
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

from dashboard import child_process
from dashboard.refusals import RefusedError
from segue.settings import Settings, to_environment

_LOG = logging.getLogger(__name__)
_GRACE_S: Final = 10.0
_MOST_ERRORS: Final = 20
_MOST_LINE_BYTES: Final = 1 << 24


@dataclass(frozen=True, slots=True)
class Import:
    """How far an import is, or how it ended.

    Attributes
    ----------
    folder : str
        What is imported.
    now_in : str
        The folder that is being read.
    n_new : int
        Tracks that were not in the library.
    errors : tuple of str
        The first of what could not be read, or why the import failed.
    """

    state: Literal["none", "running", "stopping", "done", "stopped", "failed"] = "none"
    folder: str = ""
    n_found: int = 0
    n_read: int = 0
    n_errors: int = 0
    now_in: str = ""
    n_new: int = 0
    errors: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return it as the page gets it."""
        return asdict(self)


class Importer:
    """Starts imports; what it knows of the last one ends with the server."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.current = Import()
        self._process: Process | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self, folder: Path) -> None:
        """Begin to import a folder that `check_folder` has let through.

        Raises
        ------
        RefusedError
            While another import is running.
        """
        self.require_idle()
        self.current = Import("running", str(folder))
        self._task = asyncio.create_task(self._run(folder))

    def require_idle(self) -> None:
        """Raise `RefusedError` while an import is running."""
        if self._task is not None and not self._task.done():
            raise RefusedError(
                409, "running", f"{self.current.folder} is being imported; wait for it"
            )

    def forget(self, folder: str) -> None:
        """Say no more of the last import, if it was of a folder that was removed."""
        if self.current.folder == folder:
            self.current = Import()

    async def stop(self) -> None:
        """Let the import end after the file that it reads; what it has stays."""
        if self.current.state != "running":
            return
        self.current = replace(self.current, state="stopping")
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.terminate()

    async def close(self) -> None:
        """End the import with the server."""
        await self.stop()
        if self._task is not None:
            _, late = await asyncio.wait([self._task], timeout=_GRACE_S)
            for task in late:
                task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self, folder: Path) -> None:
        try:
            await self._scan(folder)
        except Exception as error:  # the boundary: who waits for the end is told
            _LOG.exception("the scan of %s failed", folder)
            self._end(None, f"the scan failed: {error}")

    async def _scan(self, folder: Path) -> None:
        words = ("library", "scan", str(folder), "--add", "--progress", "--json")
        environment = {**os.environ, **to_environment(self._settings)}
        child = await child_process.start(
            (sys.executable, "-m", "segue", *words), environment, _MOST_LINE_BYTES
        )
        self._process = process = child.process
        try:
            if self.current.state == "stopping":  # told before there was a process
                process.terminate()
            summary = await self._follow(process)
            status = await process.wait()
        finally:
            self._process = None
            said = await child_process.end(child)
        if status != 0:
            _LOG.warning("the scan of %s ended with %s: %s", folder, status, said)
        self._end(summary, _last_line(said) or f"the scan ended with {status}")

    async def _follow(self, process: Process) -> Mapping[str, Any] | None:
        """Note how far the scan is; return its summary, which is its last line."""
        while process.stdout and (line := await process.stdout.readline()):
            told: dict[str, Any] = json.loads(line)
            if "n_read" not in told:
                return told
            numbers = {key: told[key] for key in ("n_found", "n_read", "n_errors")}
            self.current = replace(self.current, **numbers, now_in=told["folder"])
        return None

    def _end(self, summary: Mapping[str, Any] | None, said: str) -> None:
        is_stopped = self.current.state == "stopping"
        if summary is None:
            self.current = replace(
                self.current,
                state="stopped" if is_stopped else "failed",
                errors=() if is_stopped else (said,),
                now_in="",
            )
            return
        self.current = replace(
            self.current,
            state="stopped" if is_stopped else "done",
            n_found=max(summary["found"], self.current.n_found),
            n_read=summary["found"],
            n_errors=summary["unreadable"],
            n_new=summary["new"],
            errors=tuple(summary["errors"][:_MOST_ERRORS]),
            now_in="",
        )


def _last_line(said: str) -> str:
    return said.rpartition("\n")[2]
