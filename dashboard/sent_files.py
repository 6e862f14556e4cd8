"""Files that may be sent, whole or in parts."""

import os
import stat
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import anyio
from fastapi import Request
from starlette.responses import Response, StreamingResponse

from dashboard.ranges import ByteRange, UnsatisfiableRangeError, parse_range
from segue.covers import COVER_SUFFIXES, image_mime

KEEP: Final = "private, max-age=86400"
_BLOCK_BYTES: Final = 128 * 1024


@dataclass(frozen=True, slots=True)
class File:
    """A file that may be sent."""

    path: Path
    mime: str
    size: int
    etag: str


def find_file(path: str | None, roots: list[str], types: dict[str, str]) -> File | None:
    """Return the plain file at `path`, of one of `types`, under one of `roots`."""
    if path is None:
        return None
    real = Path(os.path.realpath(path))
    mime = types.get(real.suffix.lower())
    inside = any(real.is_relative_to(os.path.realpath(root)) for root in roots)
    if mime is None or not inside:
        return None
    try:
        status = real.stat()
    except OSError:
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    etag = f'"{status.st_size:x}-{status.st_mtime_ns:x}"'
    return File(real, mime, status.st_size, etag)


def find_image(path: str | None, roots: list[str]) -> File | None:
    """Return the image at `path`, under one of `roots`; its bytes say its type.

    A page or a drawing (SVG) that is named like an image is none.
    """
    file = find_file(path, roots, dict.fromkeys(COVER_SUFFIXES, ""))
    mime = None if file is None else image_mime(file.path)
    return None if file is None or mime is None else replace(file, mime=mime)


def answer(request: Request, file: File) -> Response:
    """Return `file`, or the part of it that is asked for (RFC 9110, 13 and 14)."""
    headers = {
        "accept-ranges": "bytes",
        "cache-control": KEEP,
        "etag": file.etag,
        "content-type": file.mime,
    }
    if file.etag in _etags(request.headers.get("if-none-match")):
        return Response(status_code=304, headers=headers)
    try:
        part = parse_range(_valid_range(request, file), file.size)
    except UnsatisfiableRangeError:
        headers["content-range"] = f"bytes */{file.size}"
        return Response(status_code=416, headers=headers)
    status = 200 if part is None else 206
    if part is not None:
        headers["content-range"] = f"bytes {part.first}-{part.last}/{file.size}"
    part = part or ByteRange(0, file.size - 1)
    headers["content-length"] = str(part.length)
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers)
    return StreamingResponse(_blocks(file.path, part), status, headers)


def _valid_range(request: Request, file: File) -> str | None:
    condition = request.headers.get("if-range")
    if condition is not None and condition != file.etag:
        return None
    return request.headers.get("range")


def _etags(header: str | None) -> set[str]:
    return {each.strip().removeprefix("W/") for each in (header or "").split(",")}


async def _blocks(path: Path, part: ByteRange) -> AsyncIterator[bytes]:
    left = part.length
    async with await anyio.open_file(path, "rb") as file:
        await file.seek(part.first)
        while left > 0 and (block := await file.read(min(left, _BLOCK_BYTES))):
            left -= len(block)
            yield block
