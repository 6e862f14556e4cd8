"""What an admin does with the folders of the library."""

from asyncio import Lock
from typing import Final

from anyio import to_thread
from fastapi import APIRouter, Request
from pymongo.asynchronous.database import AsyncDatabase
from starlette.responses import JSONResponse, Response

from dashboard.access import check_role, who_asks
from dashboard.api.edge import Handler, endpoint, read_told, text_of
from dashboard.importing import Importer
from dashboard.music_folders import check_folder, read_folders
from dashboard.refusals import RefusedError
from segue import store
from segue.errors import LibraryError
from segue.library_folders import remove_folder
from segue.roles import Role
from segue.settings import MongoSettings, Settings
from segue.store import Document

PATH: Final = "/api/music"


class MusicDoor:
    """Tells which folders there are, and has one imported or removed."""

    def __init__(
        self, settings: Settings, database: AsyncDatabase[Document], importer: Importer
    ) -> None:
        self._home = settings.home
        self._allowed = list(filter(None, settings.dashboard.music_roots.split(":")))
        self._database, self._importer = database, importer
        self._mongo = settings.mongo
        self._changing = Lock()  # an import begins when a removal is over

    def router(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter()
        for path, method, handler in (
            (PATH, "GET", self._tell),
            (f"{PATH}/import", "GET", self._tell_import),
            (f"{PATH}/import", "POST", self._start),
            (f"{PATH}/stop", "POST", self._stop),
            (f"{PATH}/remove", "POST", self._remove),
        ):
            router.add_api_route(path, _for_admins(handler), methods=[method])
        return router

    async def _tell(self, _request: Request) -> Response:
        folders = await read_folders(self._database)
        return JSONResponse(
            {"folders": folders, "import": self._importer.current.as_json()}
        )

    async def _tell_import(self, _request: Request) -> Response:
        return JSONResponse(self._importer.current.as_json())

    async def _start(self, request: Request) -> Response:
        text = text_of(await read_told(request), "folder")
        roots = [each["path"] for each in await read_folders(self._database)]
        path = await to_thread.run_sync(
            check_folder, text, self._home, self._allowed, roots
        )
        async with self._changing:
            await self._importer.start(path)
        return JSONResponse(self._importer.current.as_json(), 202)

    async def _stop(self, _request: Request) -> Response:
        await self._importer.stop()
        return JSONResponse(self._importer.current.as_json())

    async def _remove(self, request: Request) -> Response:
        root = text_of(await read_told(request), "folder")
        async with self._changing:
            self._importer.require_idle()
            n_tracks = await to_thread.run_sync(_remove, root, self._mongo)
            self._importer.forget(root)
        return JSONResponse({"folder": root, "n_missing": n_tracks})


def _remove(root: str, settings: MongoSettings) -> int:
    database = store.connect(settings)
    try:
        with database.client:
            return remove_folder(root, database)
    except LibraryError as error:
        raise RefusedError(404, "not_added", str(error)[:1000]) from None


def _for_admins(handler: Handler) -> Handler:
    async def answer(request: Request) -> Response:
        check_role(who_asks(), Role.ADMIN)
        return await handler(request)

    return endpoint(answer)
