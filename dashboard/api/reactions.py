"""`GET /api/reactions`: what who asks has liked, disliked and blocked, as JSON."""

from typing import Any

from fastapi import APIRouter, Request
from pymongo.asynchronous.database import AsyncDatabase
from starlette.responses import JSONResponse, Response

from dashboard.access import who_asks
from dashboard.api.edge import endpoint
from dashboard.said import Blocked, Reaction, read_blocked, read_reactions
from segue.clock import rfc3339
from segue.events import Action
from segue.store import Document


def create_router(database: AsyncDatabase[Document]) -> APIRouter:
    """Return the route `/api/reactions`."""
    router = APIRouter()

    async def get_reactions(_request: Request) -> Response:
        listener = who_asks().user_id
        said = await read_reactions(database, listener)
        blocked = await read_blocked(database, listener)
        return JSONResponse(as_json(said, blocked))

    router.add_api_route(
        "/api/reactions", endpoint(get_reactions), methods=["GET", "HEAD"]
    )
    return router


def as_json(said: list[Reaction], blocked: list[Blocked]) -> dict[str, Any]:
    """Return reactions and blocks in plain JSON values, the newest first.

    `said_at` has the time of the last word on each track, of those taken back too: by
    it a browser tells what it knows better.
    """
    return {
        "liked": [e.track_id for e in said if e.action == Action.LIKED],
        "disliked": [e.track_id for e in said if e.action == Action.DISLIKED],
        "said_at": {each.track_id: rfc3339(each.at) for each in said},
        "blocked": [
            {
                "scope": each.scope,
                "key": each.key,
                "track_id": each.track.card.track_id,
            }
            for each in blocked
        ],
    }
