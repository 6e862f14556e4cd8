"""The edge of the API: errors as JSON, and what a body tells."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import Request
from pymongo.errors import PyMongoError
from starlette.responses import Response

from dashboard.refusals import RefusedError, mongo_away

Handler = Callable[[Request], Awaitable[Response]]


def endpoint(handler: Handler) -> Handler:
    """Return the route of a handler: each error as JSON, and nothing is stored."""

    async def answer(request: Request) -> Response:
        try:
            response = await handler(request)
        except RefusedError as refusal:
            response = refusal.answer()
        except PyMongoError:
            response = mongo_away().answer()
        response.headers["cache-control"] = "no-store"
        return response

    return answer


async def read_told(request: Request) -> dict[str, Any]:
    """Return the JSON object of a body.

    Raises
    ------
    RefusedError
        When it is none, or has half a character somewhere, which nothing can store.
    """
    try:
        told = json.loads((await request.body()).decode("utf-8"))
        json.dumps(told, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise RefusedError(400, "wrong_type", "a text has half a character") from None
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise RefusedError(400, "not_object", "want a JSON object")
    return told


def text_of(told: dict[str, Any], name: str) -> str:
    """Return a text of an object.

    Raises
    ------
    RefusedError
        When it is none.
    """
    value = told.get(name)
    if not isinstance(value, str):
        raise RefusedError(400, "wrong_type", f"{name} is no text")
    return value
