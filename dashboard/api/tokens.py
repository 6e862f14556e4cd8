"""One's own tokens, by which scrobblers speak for one: list, make, revoke."""

from typing import Final

from fastapi import APIRouter, Request
from pymongo.asynchronous.database import AsyncDatabase
from starlette.responses import JSONResponse, Response

from dashboard.access import who_asks
from dashboard.api.edge import endpoint, read_told, text_of
from dashboard.refusals import RefusedError
from segue import store
from segue.clock import Clock, rfc3339
from segue.store import Document
from segue.tokens import N_SHOWN, is_shown_id, new_token

PATH: Final = "/api/tokens"
MOST_TOKENS: Final = 20


class TokenDoor:
    """Answers what somebody asks about their own tokens."""

    def __init__(self, database: AsyncDatabase[Document], clock: Clock) -> None:
        self._tokens, self._clock = database[store.TOKENS], clock

    def router(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter()
        for path, method, handler in (
            (PATH, "GET", self._list),
            (PATH, "POST", self._make),
            (f"{PATH}/revoke", "POST", self._revoke),
        ):
            router.add_api_route(path, endpoint(handler), methods=[method])
        return router

    async def _list(self, _request: Request) -> Response:
        mine = {"user_id": who_asks().user_id}
        found = self._tokens.find(mine).sort("created_at", 1)
        rows = [
            {"id": each["_id"][:N_SHOWN], "created_at": rfc3339(each["created_at"])}
            async for each in found
        ]
        return JSONResponse({"tokens": rows})

    async def _make(self, _request: Request) -> Response:
        user_id = who_asks().user_id
        if await self._tokens.count_documents({"user_id": user_id}) >= MOST_TOKENS:
            raise RefusedError(
                409, "too_many", f"you have {MOST_TOKENS} tokens; revoke one first"
            )
        token, document = new_token(user_id, self._clock)
        await self._tokens.insert_one(document)
        return JSONResponse({"token": token}, 201)

    async def _revoke(self, request: Request) -> Response:
        shown_id = text_of(await read_told(request), "id")
        gone = 0
        if is_shown_id(shown_id):
            mine = {"user_id": who_asks().user_id, "_id": {"$regex": f"^{shown_id}"}}
            gone = (await self._tokens.delete_one(mine)).deleted_count
        if not gone:
            raise RefusedError(404, "no_token", "you have no such token, or no longer")
        return JSONResponse({"status": "ok"})
