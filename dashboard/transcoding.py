"""Tracks in another form, by ffmpeg, into a bounded folder.

One encode runs for a track, however many ask; it goes when nobody waits any more.
"""

import asyncio
import hashlib
import os
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    aclosing,
    asynccontextmanager,
    suppress,
)
from functools import partial
from pathlib import Path
from typing import Final

import anyio
from anyio import to_thread
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from dashboard.encoding import FORMS, LONGEST_S, Encode
from dashboard.refusals import RefusedError
from dashboard.sent_files import File
from segue.settings import DashboardSettings

_MIB: Final = 1 << 20
_MOST_WAITING: Final = 64
# to be raised when a form is encoded in another way
_ENCODED_AS: Final = "1"


class Transcoder:
    """Keeps tracks in other forms in a folder, and makes those that are not there.

    Parameters
    ----------
    folder : Path
        Its files are named by content; those not used for longest go first.
    """

    def __init__(self, folder: Path, settings: DashboardSettings) -> None:
        self._folder = folder
        self._most_bytes = settings.transcoded_mb * _MIB
        self._slots = asyncio.Semaphore(settings.transcoders)
        self._running: dict[Path, Encode] = {}
        self._tasks = set[asyncio.Task[None]]()

    def kept(self, source: File, form: str) -> File | None:
        """Return a track's file in another form, if it is there; it is used now."""
        path = self._path_of(source, form)
        try:
            os.utime(path)
            size = path.stat().st_size
        except OSError:
            return None
        return File(path, FORMS[form].mime, size, f'"{path.stem}"')

    @asynccontextmanager
    async def following(self, source: File, form: str) -> AsyncIterator[Encode]:
        """Have a track encoded as long as somebody follows it.

        Raises
        ------
        RefusedError
            When too many tracks wait for their turn.
        """
        target = self._path_of(source, form)
        encode = self._running.get(target) or self._begin(source, form, target)
        encode.n_followers += 1
        try:
            yield encode
        finally:
            encode.n_followers -= 1
            if encode.n_followers == 0 and self._forget(encode, target):
                encode.stop()

    async def close(self) -> None:
        """End all encodes."""
        for task in self._tasks:
            _cancel(task)
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _path_of(self, source: File, form: str) -> Path:
        told = f"\0{source.etag}\0{form}\0{_ENCODED_AS}"
        key = hashlib.sha256(os.fsencode(source.path) + told.encode()).hexdigest()
        return self._folder / f"{key}{FORMS[form].suffix}"

    def _begin(self, source: File, form: str, target: Path) -> Encode:
        if len(self._tasks) >= _MOST_WAITING:
            raise RefusedError(
                503, "busy", "too many tracks are being transcoded; try again soon"
            )
        try:
            encode = Encode(_new_part(self._folder))
        except OSError as error:
            raise _no_room(error) from None
        self._running[target] = encode
        task = asyncio.create_task(self._run(encode, source, form, target))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        encode.stop = partial(_cancel, task)
        return encode

    async def _run(self, encode: Encode, source: File, form: str, target: Path) -> None:
        error: RefusedError | None = RefusedError(503, "ending", "the server is ending")
        try:
            async with self._slots:
                await encode.run(source.path, FORMS[form], self._most_bytes)
            encode.path = encode.path.replace(target)
            error = None
        except RefusedError as refusal:
            error = refusal
        except OSError as failure:
            error = _no_room(failure)
        finally:
            if error is not None:
                encode.path.unlink(missing_ok=True)
            self._forget(encode, target)
            await encode.end(error)
        if error is None:
            await to_thread.run_sync(trim, self._folder, self._most_bytes)

    def _forget(self, encode: Encode, target: Path) -> bool:
        """Have who asks from now on begin anew; tell whether it was still running."""
        if self._running.get(target) is not encode:
            return False
        del self._running[target]
        return True


class Progressive(Response):
    """What an encode has written so far, and the rest as it comes."""

    def __init__(
        self, following: AbstractAsyncContextManager[Encode], mime: str
    ) -> None:
        super().__init__(
            headers={"cache-control": "no-store", "content-type": mime},
        )
        del self.headers["content-length"]
        self._following = following

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer until the end, or until who asked is gone."""
        async with anyio.create_task_group() as group:

            async def watch() -> None:
                while (await receive())["type"] != "http.disconnect":
                    pass
                group.cancel_scope.cancel()

            group.start_soon(watch)
            await self._answer(scope, receive, send)
            group.cancel_scope.cancel()

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_begun = False
        try:
            async with self._following as encode, aclosing(encode.blocks()) as blocks:
                async for block in blocks:
                    if not is_begun:
                        await send(
                            {
                                "type": "http.response.start",
                                "status": 200,
                                "headers": self.raw_headers,
                            }
                        )
                        is_begun = True
                    await send(
                        {"type": "http.response.body", "body": block, "more_body": True}
                    )
        except RefusedError as refusal:
            if not is_begun:
                error = refusal.answer()
                await error(scope, receive, send)
            return  # an answer without its end tells the browser that it is not whole
        await send({"type": "http.response.body", "body": b""})


def _cancel(task: asyncio.Task[None]) -> None:
    """Cancel a task once: a second time would cut off how it ends its ffmpeg."""
    if not task.cancelling():
        task.cancel()


def trim(folder: Path, most_bytes: int) -> None:
    """Delete what was used longest ago until the rest is `most_bytes` at most.

    What a server that was killed has left half-done goes as well.
    """
    oldest_part_s = time.time() - LONGEST_S
    n_bytes = 0
    for used_s, size, path in sorted(_listed(folder), reverse=True):
        if path.name.startswith("."):
            goes = used_s < oldest_part_s
        else:
            n_bytes += size
            goes = n_bytes > most_bytes
        if goes:
            path.unlink(missing_ok=True)


def _listed(folder: Path) -> Iterator[tuple[float, int, Path]]:
    for path in folder.iterdir():
        with suppress(FileNotFoundError):
            status = path.stat()
            yield status.st_mtime, status.st_size, path


def _new_part(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=folder, prefix=".part-")
    os.close(handle)
    return Path(name)


def _no_room(error: OSError) -> RefusedError:
    return RefusedError(
        507, "no_room", f"the server cannot keep the track ({error.strerror})"
    )
