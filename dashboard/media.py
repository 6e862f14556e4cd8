"""Audio and covers: found by track id, kept inside the library, sent in ranges."""

import os
import stat
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import anyio
from anyio import to_thread
from fastapi import APIRouter, Request
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import PyMongoError
from starlette.responses import Response, StreamingResponse

from dashboard.placeholder import placeholder_svg
from dashboard.ranges import ByteRange, UnsatisfiableRangeError, parse_range
from dashboard.refusals import json_error
from segue import store
from segue.catalog import MIME_TYPES
from segue.covers import COVER_SUFFIXES, covers_folder, image_mime
from segue.store import Document

MAX_ID_CHARS: Final = 128
_BLOCK_BYTES: Final = 128 * 1024
_KEEP: Final = "private, max-age=86400"
_FIELDS: Final = dict.fromkeys(("path", "root", "cover_path", "artist", "album"), 1)


@dataclass(frozen=True, slots=True)
class File:
    """A file that may be sent."""

    path: Path
    mime: str
    size: int
    etag: str


def create_router(database: AsyncDatabase[Document], home: Path) -> APIRouter:
    """Return the routes `/media/…` and `/covers/…`.

    Parameters
    ----------
    home : Path
        Folder of Segue's own state, with the covers that files carry.
    """
    router = APIRouter()

    async def media(track_id: str, request: Request) -> Response:
        document = await _read_track(database, track_id)
        if not isinstance(document, dict):
            return document
        file = await to_thread.run_sync(
            find_file, document["path"], [document["root"]], MIME_TYPES
        )
        if file is None:
            return json_error(
                404,
                "file_gone",
                f"the file of track {track_id} is gone or outside its library; "
                "scan the library again",
            )
        return answer(request, file)

    async def cover(track_id: str, request: Request) -> Response:
        document = await _read_track(database, track_id)
        if not isinstance(document, dict):
            return document
        roots = [document["root"], str(covers_folder(home))]
        file = await to_thread.run_sync(find_image, document.get("cover_path"), roots)
        return _drawn(document) if file is None else answer(request, file)

    methods = ["GET", "HEAD"]
    router.add_api_route("/media/{track_id}", media, methods=methods)
    router.add_api_route("/covers/{track_id}", cover, methods=methods)
    return router


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
        "cache-control": _KEEP,
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


async def _read_track(
    database: AsyncDatabase[Document], track_id: str
) -> dict[str, Any] | Response:
    if len(track_id) > MAX_ID_CHARS:
        return json_error(404, "unknown_track", "no track has so long an id")
    try:
        document = await database[store.TRACKS].find_one({"_id": track_id}, _FIELDS)
    except PyMongoError as error:
        return json_error(503, "mongo_unreachable", f"MongoDB does not answer: {error}")
    if document is None:
        return json_error(404, "unknown_track", f"no track {track_id} in the library")
    return document


def _drawn(document: dict[str, Any]) -> Response:
    seed = f"{document.get('artist')}/{document.get('album')}"
    headers = {"cache-control": _KEEP}
    return Response(placeholder_svg(seed), headers=headers, media_type="image/svg+xml")
