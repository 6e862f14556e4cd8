"""`GET /api/recommendations/{listener}`: a listener's own list as JSON."""

from typing import Any

from fastapi import APIRouter
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import PyMongoError
from starlette.responses import JSONResponse, Response

from dashboard.access import require_own
from dashboard.queries import read_for_you
from dashboard.records import ForYou
from dashboard.refusals import RefusedError, json_error
from segue.clock import rfc3339
from segue.store import Document


def create_router(database: AsyncDatabase[Document], n_fallback: int) -> APIRouter:
    """Return the route `/api/recommendations/{listener}`."""
    router = APIRouter()

    async def get_recommendations(listener: str) -> Response:
        try:
            require_own(listener)
            for_you = await read_for_you(database, listener, n_fallback)
        except RefusedError as refusal:
            return json_error(refusal.status, refusal.reason, refusal.detail)
        except PyMongoError as error:
            return json_error(503, "mongo_unreachable", f"no answer: {error}")
        return JSONResponse(as_json(for_you), headers={"cache-control": "no-store"})

    router.add_api_route(
        "/api/recommendations/{listener}", get_recommendations, methods=["GET", "HEAD"]
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
                "reason": each.reason,
                "propensity": each.propensity,
            }
            for each in for_you.tracks
        ],
    }
