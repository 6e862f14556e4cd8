"""One run of ffmpeg, and the file that grows by it."""

import asyncio
import logging
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Final, NamedTuple

import anyio

from dashboard import child_process
from dashboard.refusals import RefusedError

LONGEST_S: Final = 600.0
"""Seconds that one encode may take."""
FFMPEG: Final = "ffmpeg"
_LOG = logging.getLogger(__name__)
_BLOCK_BYTES: Final = 64 * 1024
# what holds audio itself: a playlist that is named like a track could have other files
# and hosts read
_READS: Final = (
    *("aac", "aiff", "ape", "asf", "dsf", "flac", "iff", "libopenmpt", "matroska"),
    *(
        "mov",
        "mp3",
        "mpc",
        "mpc8",
        "ogg",
        "shn",
        "tak",
        "tta",
        "w64",
        "wav",
        "wv",
        "xm",
    ),
)


class Form(NamedTuple):
    """What a track may be turned into."""

    suffix: str
    mime: str
    options: tuple[str, ...]


FORMS: Final = {
    "opus": Form(
        ".opus",
        "audio/ogg; codecs=opus",
        # level 5 takes half the time of the default, and is heard by nobody
        (
            *("-c:a", "libopus", "-b:a", "128k", "-compression_level", "5"),
            *("-ac", "2", "-f", "ogg"),
        ),
    )
}
"""By the word that stands in the address."""


def command(source: Path, form: Form) -> list[str]:
    """Return the command line that writes `source` in `form` to standard output."""
    return [
        *(FFMPEG, "-nostdin", "-v", "error", "-threads", "1"),
        *("-protocol_whitelist", "file", "-format_whitelist", ",".join(_READS)),
        *("-i", f"file:{source}", "-map", "0:a:0", "-map_metadata", "-1"),
        *("-fflags", "+bitexact", "-flush_packets", "1"),
        *form.options,
        "pipe:1",
    ]


class Encode:
    """A file that ffmpeg writes; whoever follows it reads what there is, and waits.

    Parameters
    ----------
    path : Path
        Where the file grows. Whoever has opened it reads on when it is renamed.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.n_followers = path, 0
        self.stop: Callable[[], object] = bool
        self._n_bytes = 0
        self._is_over = False
        self._error: RefusedError | None = None
        self._changed = asyncio.Condition()

    async def blocks(self) -> AsyncGenerator[bytes, None]:
        """Yield the file's bytes as they come.

        Raises
        ------
        RefusedError
            When the file does not become whole.
        """
        n_read = 0
        # before the first wait: after it the file may have another name, or none
        async with anyio.wrap_file(self.path.open("rb")) as file:
            while await self._more_than(n_read):
                block = await file.read(_BLOCK_BYTES)
                n_read += len(block)
                yield block

    async def run(self, source: Path, form: Form, most_bytes: int) -> None:
        """Write the file; ffmpeg ends with this call, however it ends.

        Raises
        ------
        RefusedError
            When the file does not become whole.
        """
        starting = asyncio.create_task(_start(source, form))
        try:
            async with asyncio.timeout(LONGEST_S):
                process, _ = await asyncio.shield(starting)
                await self._pump(process, most_bytes)
                status = await process.wait()
        except TimeoutError:
            raise RefusedError(
                503, "too_slow", f"ffmpeg was stopped: it took over {LONGEST_S:.0f} s"
            ) from None
        finally:
            # also one that is just starting
            said = await child_process.end(await starting)
        if status != 0 or self._n_bytes == 0:
            _LOG.warning("ffmpeg gave up on %s: %s", source, said)
            raise RefusedError(
                502, "broken_file", f"the file {source.name} has no audio to be read"
            )

    async def end(self, error: RefusedError | None = None) -> None:
        """Tell those who follow that no more comes, and why if too little did."""
        async with self._changed:
            self._is_over, self._error = True, error
            self._changed.notify_all()

    async def _pump(self, process: Process, most_bytes: int) -> None:
        if process.stdout is None:
            raise RuntimeError("ffmpeg was started without a pipe")
        with self.path.open("wb") as file:
            while block := await process.stdout.read(_BLOCK_BYTES):
                file.write(block)
                file.flush()
                async with self._changed:
                    self._n_bytes += len(block)
                    self._changed.notify_all()
                if self._n_bytes > most_bytes:
                    raise RefusedError(
                        507, "too_long", "this track is longer than may be transcoded"
                    )

    async def _more_than(self, n_bytes: int) -> bool:
        """Wait for more than `n_bytes`; False when no more comes."""
        async with self._changed:
            await self._changed.wait_for(
                lambda: self._n_bytes > n_bytes or self._is_over
            )
        if self._n_bytes <= n_bytes and self._error is not None:
            raise self._error
        return self._n_bytes > n_bytes


async def _start(source: Path, form: Form) -> child_process.Child:
    try:
        return await child_process.start(command(source, form))
    except OSError as error:
        raise RefusedError(
            501,
            "no_ffmpeg",
            f"this needs {FFMPEG} on the server, where it cannot be started "
            f"({error.strerror}); install it there",
        ) from None
