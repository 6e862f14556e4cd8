"""A child process with its pipes: its start, its last words, and its end."""

import asyncio
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

_BLOCK_BYTES: Final = 64 * 1024
_SAID_BYTES: Final = 2000


class Child(NamedTuple):
    """A process, and what reads all that it complains of, lest it waits."""

    process: Process
    words: asyncio.Task[str]


async def start(
    command: Sequence[str],
    environment: Mapping[str, str] | None = None,
    most_line_bytes: int = _BLOCK_BYTES,
) -> Child:
    """Start a process that gets nothing and whose output is read by who starts it.

    Parameters
    ----------
    most_line_bytes : int
        Length of the longest line that can be read; it waits when twice as much is
        unread.

    Raises
    ------
    OSError
        When it cannot be started.
    """
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
        env=environment,
        limit=most_line_bytes,
    )
    return Child(process, asyncio.create_task(_last_words(process)))


async def end(child: Child) -> str:
    """Wait until a process is over, killed if it still runs; return its last words.

    After this nothing is left of it: its pipes close once all in them has been read.
    """
    process, words = child
    if process.returncode is None:
        process.kill()
    while process.stdout and await process.stdout.read(_BLOCK_BYTES):
        pass
    said = await words
    await process.wait()
    return said


async def _last_words(process: Process) -> str:
    said = b""
    while process.stderr and (block := await process.stderr.read(_BLOCK_BYTES)):
        said = (said + block)[-_SAID_BYTES:]
    return said.decode("utf-8", "replace").strip()
