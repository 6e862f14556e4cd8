"""`GET /api/recommendations/{listener}`: a listener's own list as JSON."""

from typing import Any

from fastapi import APIRouter, Request
from pymongo.asynchronous.database import AsyncDatabase
from starlette.responses import JSONResponse, Response

from dashboard.access import require_own
from dashboard.api.edge import endpoint
from dashboard.queries import read_for_you
from dashboard.reasons import text_of
from dashboard.records import ForYou
from segue.clock import rfc3339
from segue.store import Document


def create_router(database: AsyncDatabase[Document], n_fallback: int) -> APIRouter:
    """Return the route `/api/recommendations/{listener}`.

    What it answers was not shown to anybody yet: the player asks it on every page to
    know what it may go on with, and programs ask.
    """
    router = APIRouter()

    async def get_recommendations(request: Request) -> Response:
        listener = request.path_params["listener"]
        require_own(listener)
        for_you = await read_for_you(database, listener, n_fallback)
        return JSONResponse(as_json(for_you))

    router.add_api_route(
        "/api/recommendations/{listener}",
        endpoint(get_recommendations),
        methods=["GET", "HEAD"],
    )
    return router


def as_json(for_you: ForYou) -> dict[str, Any]:
    """Return a list in plain JSON values."""
    updated_at, newest = for_you.updated_at, for_you.newest_event_at
    return {
        "listener": for_you.listener,
        "list_id": for_you.list_id,
        "is_fallback": for_you.is_fallback,
        "updated_at": None if updated_at is None else rfc3339(updated_at),
        "newest_event_at": None if newest is None else rfc3339(newest),
        "items": [
            {
                "rank": each.rank,
                "track_id": each.track.track_id,
                "title": each.track.title,
                "artist": each.track.artist,
                "album": each.track.album,
                "genre": each.track.genre,
                "duration_ms": each.track.duration_ms,
                "score": each.score,
                "parts": dict(each.parts),
                "reason": text_of(each.reason),
                "propensity": each.propensity,
            }
            for each in for_you.tracks
        ],
    }
