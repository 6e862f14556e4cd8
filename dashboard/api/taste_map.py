"""The taste map over HTTP: its figure, how tastes move in it, and tracks of points."""

import asyncio
import base64
from collections.abc import Sequence
from datetime import date
from typing import Any, Final

import numpy as np
from fastapi import APIRouter, Request
from numpy.typing import NDArray
from starlette.responses import Response

from dashboard.access import check_role, who_asks
from dashboard.analytics.answers import Answers
from dashboard.analytics.controls import DOWNLOADS_PATH
from dashboard.analytics.map_choice import FILTERS, layer_of
from dashboard.analytics.map_movement import Moving, held
from dashboard.analytics.map_moves import moves_of
from dashboard.analytics.map_parts import movement_table
from dashboard.analytics.map_points import MapPoints
from dashboard.analytics.questions import Question, parse
from dashboard.analytics.taste_map import (
    FIGURE_PATH,
    PRESET,
    chosen_listed,
    listed,
    look,
)
from dashboard.api.edge import endpoint, read_told, text_of
from dashboard.dates import day
from dashboard.refusals import RefusedError
from dashboard.views import as_text
from segue.activity import Kind
from segue.clock import Clock
from segue.roles import Role

_MOST_DIGITS: Final = 8
_SAID: Final = "said"


class MapDoor:
    """Answers what the map's page asks for, beside what is pushed."""

    def __init__(self, answers: Answers, clock: Clock) -> None:
        self._answers, self._clock = answers, clock

    def router(self) -> APIRouter:
        """Return the routes."""
        router, base = APIRouter(), f"{DOWNLOADS_PATH}/map"
        for verbs, path, handler in (
            (["GET", "HEAD"], FIGURE_PATH, self._figure),
            (["GET", "HEAD"], f"{base}/movement", self._movement),
            (["GET", "HEAD"], f"{base}/track", self._track),
            (["POST"], f"{base}/tracks", self._tracks),
        ):
            router.add_api_route(path, endpoint(handler), methods=verbs)
        return router

    async def _figure(self, request: Request) -> Response:
        question = self._question(request)
        looked = await look(self._answers, question, self._clock())
        return await _json(
            version=looked.points.version,
            layer=looked.layer,
            n=len(looked.points),
            figure=looked.figure,
            chosen=await chosen_listed(self._answers, looked),
        )

    async def _movement(self, request: Request) -> Response:
        question = self._question(request)
        moves = await moves_of(self._answers, question, self._clock())
        if not moves.dates:
            return await _json(dates=[], days=[], moving=[], words=moves.words)
        return await _json(
            dates=[each.isoformat() for each in moves.dates],
            days=[day(each) for each in moves.dates],
            moving=[_path(each, moves.dates) for each in moves.moving],
            words=moves.words,
            table=movement_table(moves.moving, moves.dates),
        )

    async def _track(self, request: Request) -> Response:
        """Answer what a point is, where a pointer rests on it."""
        check_role(who_asks(), Role.ANALYST)
        asked = request.query_params
        points = await self._points(asked.get("version", ""))
        text = asked.get("point", "")
        is_number = text.isascii() and text.isdecimal() and len(text) < _MOST_DIGITS
        if not is_number or int(text) >= len(points):
            detail = f"the point {text[:_MOST_DIGITS]!r} is none of {len(points):,}"
            raise RefusedError(404, "no_such_point", detail)
        point = int(text)
        key = points.track_ids[point]
        named = (await self._answers.names.of(Kind.TRACK, [key]))[key]
        return await _json(
            name=named.name,
            note=named.note,
            style=points.styles.name_of(point),
            cluster=points.clusters.name_of(point),
        )

    async def _tracks(self, request: Request) -> Response:
        check_role(who_asks(), Role.ANALYST)
        told = await read_told(request)
        points = await self._points(text_of(told, "version"))
        question = parse("", PRESET, self._clock()).about(layer=text_of(told, "layer"))
        layer = layer_of(question, points)
        chosen = _points_in(text_of(told, "points"), len(points))
        return await _json(chosen=await listed(self._answers, points, layer, chosen))

    async def _points(self, version: str) -> MapPoints:
        """Return the points, if they still are those that a page has."""
        points = await self._answers.maps.read()
        if version != points.version:
            detail = "the map has changed meanwhile; it is drawn anew, choose once more"
            raise RefusedError(409, "map_changed", detail)
        return points

    def _question(self, request: Request) -> Question:
        check_role(who_asks(), Role.ANALYST)
        question = parse(request.url.query, PRESET, self._clock())
        question.check_filters(FILTERS)
        return question


def _points_in(text: str, n: int) -> NDArray[np.intp]:
    """Return the points whose bits are set.

    Raises
    ------
    RefusedError
        Where that is no map's worth of bits.

    Examples
    --------
    >>> _points_in("BQ==", 8).tolist()
    [0, 2]
    """
    try:
        packed = np.frombuffer(base64.b64decode(text, validate=True), np.uint8)
    except ValueError:
        packed = np.zeros(0, np.uint8)
    bits = np.unpackbits(packed, bitorder="little")
    if len(packed) != -(-n // 8) or bits[n:].any():
        detail = f"points are no {n} bits in base64, the first one lowest"
        raise RefusedError(400, "wrong_points", detail)
    return np.flatnonzero(bits)


def _path(moving: Moving, dates: Sequence[date]) -> dict[str, Any]:
    return {
        "name": moving.name,
        "cluster": moving.cluster,
        "n_heard": [moving.n_heard.get(each, 0) for each in dates],
        "places": held(moving, dates),
    }


async def _json(**told: Any) -> Response:
    text = await asyncio.to_thread(as_text, {_SAID: told})
    return Response(text[_SAID], media_type="application/json")
