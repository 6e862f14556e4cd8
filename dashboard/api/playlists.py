"""Playlists over HTTP: each change is a POST with a JSON object, of who asks.

What is another's is as if it were not there.
"""

from contextlib import suppress
from typing import Any, Final

from anyio import to_thread
from fastapi import APIRouter, Request
from pymongo.asynchronous.database import AsyncDatabase
from starlette.responses import JSONResponse, Response

from dashboard.access import who_asks
from dashboard.api.edge import endpoint, read_told, text_of
from dashboard.playlist_edits import MAX_TRACKS, Row
from dashboard.playlist_files import PlaylistFile, bad_file, decode, disposition
from dashboard.playlist_files import file_name as file_name_of
from dashboard.playlist_jspf import read_jspf, write_jspf
from dashboard.playlist_m3u import read_m3u, write_m3u
from dashboard.playlist_matching import match
from dashboard.playlist_records import MAX_NAME_CHARS, Playlist, checked_name
from dashboard.playlist_tracks import read_rows
from dashboard.playlists import Playlists
from dashboard.refusals import RefusedError
from segue.clock import Clock
from segue.store import Document

_MAX_ID_CHARS: Final = 128
_UNNAMED: Final = "Imported playlist"


class PlaylistDoor:
    """Answers what listeners ask about their playlists."""

    def __init__(self, database: AsyncDatabase[Document], clock: Clock) -> None:
        self._database = database
        self._playlists = Playlists(database, clock)

    def router(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter()
        own, shared = "/api/playlists", "/api/shared/{token}"
        for method, path, handler in (
            ("GET", own, self._all),
            ("POST", own, self._create),
            ("POST", f"{own}/import", self._import),
            ("GET", f"{own}/{{key}}", self._one),
            ("GET", f"{own}/{{key}}/export", self._export),
            ("POST", f"{own}/{{key}}/rename", self._rename),
            ("POST", f"{own}/{{key}}/add", self._add),
            ("POST", f"{own}/{{key}}/remove", self._remove),
            ("POST", f"{own}/{{key}}/move", self._move),
            ("POST", f"{own}/{{key}}/delete", self._delete),
            ("POST", f"{own}/{{key}}/undelete", self._undelete),
            ("POST", f"{own}/{{key}}/share", self._share),
            ("POST", f"{own}/{{key}}/unshare", self._unshare),
            ("GET", shared, self._shared),
            ("POST", f"{shared}/copy", self._copy),
        ):
            methods = ["GET", "HEAD"] if method == "GET" else [method]
            router.add_api_route(path, endpoint(handler), methods=methods)
        return router

    async def _all(self, _request: Request) -> Response:
        found = await self._playlists.read_all(who_asks().user_id)
        return JSONResponse(
            {
                "playlists": [
                    {"key": each.key, "name": each.name, "n_tracks": each.n_tracks}
                    for each in found
                ]
            }
        )

    async def _one(self, request: Request) -> Response:
        playlist = await self._playlists.read(*_own(request))
        return await self._with_rows(playlist, shared=playlist.shared)

    async def _shared(self, request: Request) -> Response:
        token = request.path_params["token"]
        return await self._with_rows(await self._playlists.read_shared(token))

    async def _with_rows(self, playlist: Playlist, **more: Any) -> Response:
        rows = await read_rows(self._database, playlist.track_ids)
        return JSONResponse({**_said(playlist), **more, "tracks": rows})

    async def _export(self, request: Request) -> Response:
        playlist = await self._playlists.read(*_own(request))
        rows = await read_rows(self._database, playlist.track_ids)
        form = request.query_params.get("form")
        if form == "m3u":
            text, kind = write_m3u(playlist.name, rows), "audio/x-mpegurl"
            name = file_name_of(playlist.name, "m3u8")
        elif form == "jspf":
            text, kind = write_jspf(playlist, rows), "application/jspf+json"
            name = file_name_of(playlist.name, "jspf")
        else:
            raise RefusedError(
                400, "wrong_form", f"got the form {form!r:.40}, want m3u or jspf"
            )
        headers = {"content-disposition": disposition(name)}
        return Response(text, media_type=f"{kind}; charset=utf-8", headers=headers)

    async def _create(self, request: Request) -> Response:
        told = await read_told(request)
        track_ids = _ids(told) if "track_ids" in told else []
        made = await self._playlists.create(
            who_asks().user_id, text_of(told, "name"), track_ids
        )
        return JSONResponse(_said(made))

    async def _rename(self, request: Request) -> Response:
        told = await read_told(request)
        playlist = await self._playlists.rename(
            *_own(request), text_of(told, "was"), text_of(told, "name")
        )
        return JSONResponse(_said(playlist))

    async def _add(self, request: Request) -> Response:
        told = await read_told(request)
        at = None if told.get("at") is None else _number(told, "at")
        playlist, at = await self._playlists.add(*_own(request), _ids(told), at)
        return JSONResponse({**_said(playlist), "at": at})

    async def _remove(self, request: Request) -> Response:
        row = _row(await read_told(request))
        playlist, at = await self._playlists.remove(*_own(request), row)
        return JSONResponse({**_said(playlist), "at": at})

    async def _move(self, request: Request) -> Response:
        told = await read_told(request)
        playlist = await self._playlists.move(
            *_own(request), _row(told), _number(told, "to")
        )
        return JSONResponse(_said(playlist))

    async def _delete(self, request: Request) -> Response:
        await self._playlists.delete(*_own(request))
        return JSONResponse({"status": "ok"})

    async def _undelete(self, request: Request) -> Response:
        return JSONResponse(_said(await self._playlists.undelete(*_own(request))))

    async def _share(self, request: Request) -> Response:
        playlist = await self._playlists.share(*_own(request))
        return JSONResponse({**_said(playlist), "shared": playlist.shared})

    async def _unshare(self, request: Request) -> Response:
        return JSONResponse(_said(await self._playlists.unshare(*_own(request))))

    async def _copy(self, request: Request) -> Response:
        found = await self._playlists.read_shared(request.path_params["token"])
        mine = await self._playlists.copy(who_asks().user_id, found)
        return JSONResponse(_said(mine))

    async def _import(self, request: Request) -> Response:
        called = request.query_params.get("name", "")
        file = await to_thread.run_sync(read_file, await request.body())
        found = await match(self._database, file.entries)
        made = None
        if found.track_ids:
            made = _said(
                await self._playlists.create(
                    who_asks().user_id, _name_of(file, called), found.track_ids
                )
            )
        n_matched = len(found.track_ids)
        return JSONResponse(
            {"matched": n_matched, "unmatched": found.unmatched, "playlist": made}
        )


def read_file(content: bytes) -> PlaylistFile:
    """Return what an uploaded file holds, by what it looks like.

    Raises
    ------
    RefusedError
        When it is no playlist, or an empty one.
    """
    text = decode(content)
    begin = text.lstrip()[:1]
    if begin == "<":
        raise bad_file(
            "line 1 begins with <: this is XML or a web page; "
            "a playlist is an M3U or a JSPF file"
        )
    file = read_jspf(text) if begin in ("{", "[") else read_m3u(text)
    if not file.entries:
        raise bad_file("this file has no tracks")
    return file


def _name_of(file: PlaylistFile, called: str) -> str:
    """Return what a file calls its playlist, or how the file itself is called."""
    for told in (file.name, called.rpartition(".")[0], called):
        with suppress(RefusedError):
            return checked_name(told[:MAX_NAME_CHARS])
    return _UNNAMED


def _own(request: Request) -> tuple[str, str]:
    return who_asks().user_id, request.path_params["key"]


def _said(playlist: Playlist) -> dict[str, Any]:
    return {
        "key": playlist.key,
        "name": playlist.name,
        "version": playlist.version,
        "n_tracks": len(playlist.track_ids),
    }


def _number(told: dict[str, Any], name: str) -> int:
    value = told.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise RefusedError(400, "wrong_type", f"{name} is no number from 0 on")
    return value


def _ids(told: dict[str, Any]) -> list[str]:
    ids = told.get("track_ids")
    if not isinstance(ids, list) or not 0 < len(ids) <= MAX_TRACKS:
        raise RefusedError(
            400, "wrong_type", f"track_ids is no list of 1 to {MAX_TRACKS:,} ids"
        )
    for each in ids:
        _checked_id(each)
    return ids


def _row(told: dict[str, Any]) -> Row:
    track_id = _checked_id(told.get("track_id"))
    return Row(_number(told, "place"), track_id, _number(told, "version"))


def _checked_id(value: Any) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= _MAX_ID_CHARS:
        raise RefusedError(
            400, "wrong_type", f"a track's id is a text of 1 to {_MAX_ID_CHARS} letters"
        )
    return value
