"""The door for scrobblers: the routes of ListenBrainz that they use, at `/1/`.

Requests speak for the listener of their token, `Authorization: Token <uuid>`, and read
that listener's history only; at ListenBrainz histories are public, here they are not.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, Final

from fastapi import APIRouter, Request
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import PyMongoError
from starlette.responses import JSONResponse, Response

from dashboard.api.events import Publisher
from dashboard.api.listened import count_listens, read_listens
from dashboard.api.rate_limit import RateLimit
from dashboard.api.scrobbles import is_live, listen_event, started_event
from dashboard.api.submission import Listen, ListenType, read_submission
from dashboard.refusals import RefusedError, listenbrainz_error, no_listener
from segue import store
from segue.clock import Clock
from segue.errors import InvalidEventError, KafkaUnreachableError
from segue.settings import Settings
from segue.store import Document
from segue.tokens import token_id
from segue.track_names import names_query, pick_tracks

_LOG = logging.getLogger(__name__)
MAX_COUNT: Final = 1000
DEFAULT_COUNT: Final = 25
_MAX_DIGITS: Final = 18
_UNKNOWN_LENGTH: Final = timedelta(minutes=10)
_TRACK_FIELDS: Final = {"name_id": 1, "album": 1, "duration_s": 1}
Handler = Callable[[Request, str | None], Awaitable[dict[str, Any]]]
Endpoint = Callable[[Request], Awaitable[Response]]


class Door:
    """Answers scrobblers.

    Parameters
    ----------
    live : Publisher
        Takes plays of now.
    history : Publisher
        Takes plays of long ago, for which the stream no longer waits.
    """

    def __init__(
        self,
        settings: Settings,
        database: AsyncDatabase[Document],
        live: Publisher,
        history: Publisher,
        clock: Clock,
    ) -> None:
        self._watermark_s = settings.stream.watermark_s
        self._limit = RateLimit(settings.dashboard.rate_limit, clock)
        self._database = database
        self._live = live
        self._history = history
        self._clock = clock
        self._playing: dict[str, tuple[Listen, datetime]] = {}

    def router(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter()
        for path, verb, handler in (
            ("/1/submit-listens", "POST", self._submit),
            ("/1/validate-token", "GET", self._validate_token),
            ("/1/user/{name}/listens", "GET", self._listens),
            ("/1/user/{name}/listen-count", "GET", self._listen_count),
            ("/1/user/{name}/playing-now", "GET", self._playing_now),
        ):
            router.add_api_route(path, self._endpoint(handler), methods=[verb])
        return router

    def _endpoint(self, handler: Handler) -> Endpoint:
        """Return the route: who asks, how often, and each error in their shape."""

        async def answer(request: Request) -> Response:
            headers: dict[str, str] = {"cache-control": "no-store"}
            try:
                listener = await self._listener(request)
                quota = self._limit.count(_who(request, listener))
                headers |= quota.headers()
                if quota.is_used_up:
                    raise RefusedError(429, "too_many", "too many requests; wait")
                content = await handler(request, listener)
            except RefusedError as refusal:
                refused = listenbrainz_error(refusal.status, refusal.detail)
                refused.headers.update(headers)
                return refused
            return JSONResponse(content, headers=headers)

        return answer

    async def _listener(self, request: Request) -> str | None:
        token = _token(request)
        if not token:
            return None
        with _Away():
            found = await self._database[store.TOKENS].find_one(token_id(token))
        return None if found is None else str(found["user_id"])

    async def _validate_token(
        self, request: Request, listener: str | None
    ) -> dict[str, Any]:
        if not _token(request):
            raise RefusedError(400, "no_token", "you need to provide a token")
        if listener is None:
            return {"code": 200, "message": "Token invalid.", "valid": False}
        return {
            "code": 200,
            "message": "Token valid.",
            "valid": True,
            "user_name": listener,
        }

    async def _submit(self, request: Request, listener: str | None) -> dict[str, Any]:
        user_id = _known(request, listener)
        now = self._clock()
        try:
            # a thousand listens would hold up every page
            kind, listens = await asyncio.to_thread(
                read_submission, await request.body(), now
            )
        except InvalidEventError as error:
            raise RefusedError(400, error.reason, error.detail) from None
        with _Away():
            await self._publish(kind, listens, user_id, now)
        return {"status": "ok"}

    async def _publish(
        self, kind: ListenType, listens: list[Listen], user_id: str, now: datetime
    ) -> None:
        names = [listen.name for listen in listens]
        wanted = await asyncio.to_thread(names_query, names)
        query = self._database[store.TRACKS].find(wanted, _TRACK_FIELDS)
        tracks = pick_tracks(names, await query.to_list())
        to_event = started_event if kind is ListenType.PLAYING_NOW else listen_event
        events = [
            to_event(listen, user_id, track, now)
            for listen, track in zip(listens, tracks, strict=True)
        ]
        is_now = kind is not ListenType.IMPORT and all(
            is_live(event, now, self._watermark_s) for event in events
        )
        await (self._live if is_now else self._history).publish(events)
        if kind is ListenType.PLAYING_NOW:
            length = _UNKNOWN_LENGTH
            if (duration_ms := events[0].duration_ms) is not None:
                length = timedelta(milliseconds=duration_ms)
            self._playing[user_id] = listens[0], now + length

    async def _listens(self, request: Request, listener: str | None) -> dict[str, Any]:
        user_id = _own(request, listener)
        min_s, max_s = _whole(request, "min_ts"), _whole(request, "max_ts")
        if min_s is not None and max_s is not None and min_s >= max_s:
            raise RefusedError(400, "bad_range", "min_ts has to be less than max_ts")
        asked = _whole(request, "count")
        count = DEFAULT_COUNT if asked is None else min(asked, MAX_COUNT)
        with _Away():
            found = await read_listens(self._database, user_id, min_s, max_s, count)
        return {"payload": found}

    async def _listen_count(
        self, request: Request, listener: str | None
    ) -> dict[str, Any]:
        user_id = _own(request, listener)
        with _Away():
            return {"payload": {"count": await count_listens(self._database, user_id)}}

    async def _playing_now(
        self, request: Request, listener: str | None
    ) -> dict[str, Any]:
        user_id = _own(request, listener)
        listen, until = self._playing.get(user_id, (None, self._clock()))
        listens = []
        if listen is not None and self._clock() < until:
            name = listen.name
            told = {"artist_name": name.artist, "track_name": name.title}
            more = {"release_name": name.album} if name.album else {}
            told_all = {**told, **more, "additional_info": listen.info}
            listens = [{"playing_now": True, "track_metadata": told_all}]
        return {
            "payload": {
                "user_id": user_id,
                "count": len(listens),
                "playing_now": True,
                "listens": listens,
            }
        }


class _Away:
    """Answers 503 where MongoDB or Kafka do not."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, _: object) -> None:
        if isinstance(error, PyMongoError | KafkaUnreachableError):
            _LOG.warning("a scrobbler gets no answer: %s", error)
            raise RefusedError(503, "away", "try again later") from None


def _token(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "token" and token.strip():
        return token.strip()
    # older programs ask whether a token is valid in this way, and do only that
    is_question = request.url.path == "/1/validate-token"
    return request.query_params.get("token", "") if is_question else ""


def _who(request: Request, listener: str | None) -> str:
    if listener is not None:
        return f"listener {listener}"
    return f"address {request.client.host if request.client else ''}"


def _known(request: Request, listener: str | None) -> str:
    if listener is not None:
        return listener
    raise no_listener(has_token=bool(_token(request)))


def _own(request: Request, listener: str | None) -> str:
    user_id = _known(request, listener)
    if request.path_params["name"] != user_id:
        raise RefusedError(
            403, "not_yours", "this token may not read the history of another listener"
        )
    return user_id


def _whole(request: Request, key: str) -> int | None:
    text = request.query_params.get(key)
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= _MAX_DIGITS):
        raise RefusedError(400, "bad_number", f"{key} has to be a non-negative integer")
    return int(text)
