"""Audio and covers: found by track id, kept inside the library, sent in ranges."""

from pathlib import Path
from typing import Any, Final

from anyio import to_thread
from fastapi import APIRouter, Request
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import PyMongoError
from starlette.responses import Response

from dashboard.encoding import FORMS
from dashboard.placeholder import placeholder_svg
from dashboard.refusals import json_error, mongo_away
from dashboard.sent_files import KEEP, File, answer, find_file, find_image
from dashboard.transcoding import Progressive, Transcoder
from segue import store
from segue.catalog import AUDIO_SUFFIXES, MIME_TYPES
from segue.covers import covers_folder
from segue.store import Document

MAX_ID_CHARS: Final = 128
_UNPLAYABLE: Final = ""
_TYPES: Final = dict.fromkeys(AUDIO_SUFFIXES, _UNPLAYABLE) | MIME_TYPES
_FIELDS: Final = dict.fromkeys(("path", "root", "cover_path", "artist", "album"), 1)


def create_router(
    database: AsyncDatabase[Document], home: Path, transcoder: Transcoder
) -> APIRouter:
    """Return the routes `/media/…` and `/covers/…`.

    Parameters
    ----------
    home : Path
        Folder of Segue's own state, with the covers that files carry.
    """
    router = APIRouter()

    async def media(track_id: str, request: Request) -> Response:
        form = request.query_params.get("form")
        if form is not None and form not in FORMS:
            known = ", ".join(FORMS)
            return json_error(400, "unknown_form", f"got {form[:20]!r}, want {known}")
        document = await _read_track(database, track_id)
        if not isinstance(document, dict):
            return document
        file = await to_thread.run_sync(
            find_file, document.get("path"), _roots(document), _TYPES
        )
        if file is None:
            return json_error(
                404,
                "file_gone",
                f"the file of track {track_id} is gone or outside its library; "
                "scan the library again",
            )
        if form is not None:
            return await _in_another_form(request, transcoder, file, form)
        return _as_it_is(request, file)

    async def cover(track_id: str, request: Request) -> Response:
        document = await _read_track(database, track_id)
        if not isinstance(document, dict):
            return document
        roots = [*_roots(document), str(covers_folder(home))]
        file = await to_thread.run_sync(find_image, document.get("cover_path"), roots)
        return _drawn(document) if file is None else answer(request, file)

    methods = ["GET", "HEAD"]
    router.add_api_route("/media/{track_id}", media, methods=methods)
    router.add_api_route("/covers/{track_id}", cover, methods=methods)
    return router


def _roots(document: Document) -> list[str]:
    """Return the music folder of a track, if one is told."""
    return [document["root"]] if document.get("root") else []


def _as_it_is(request: Request, file: File) -> Response:
    if file.mime == _UNPLAYABLE:
        return json_error(
            415, "unplayable", "no browser plays this kind; ask for ?form=opus"
        )
    return answer(request, file)


async def _in_another_form(
    request: Request, transcoder: Transcoder, file: File, form: str
) -> Response:
    """Return what is kept of a track in a form, else what is being made of it."""
    kept = await to_thread.run_sync(transcoder.kept, file, form)
    if kept is not None:
        return answer(request, kept)
    if request.method == "HEAD":  # nothing is made for it
        headers = {"cache-control": "no-store", "content-type": FORMS[form].mime}
        return Response(headers=headers)
    return Progressive(transcoder.following(file, form), FORMS[form].mime)


async def _read_track(
    database: AsyncDatabase[Document], track_id: str
) -> dict[str, Any] | Response:
    if len(track_id) > MAX_ID_CHARS:
        return json_error(404, "unknown_track", "no track has so long an id")
    try:
        document = await database[store.TRACKS].find_one({"_id": track_id}, _FIELDS)
    except PyMongoError:
        return mongo_away().answer()
    if document is None:
        return json_error(404, "unknown_track", f"no track {track_id} in the library")
    return document


def _drawn(document: dict[str, Any]) -> Response:
    seed = f"{document.get('artist')}/{document.get('album')}"
    headers = {"cache-control": KEEP}
    return Response(placeholder_svg(seed), headers=headers, media_type="image/svg+xml")
