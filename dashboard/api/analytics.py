"""`GET /api/analytics/NAME.csv` and `.parquet`: what a page shows, as a file."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from dashboard.access import check_role, who_asks
from dashboard.analytics import (
    audio,
    chosen_track,
    listeners,
    listeners_files,
    map_moves,
    now,
    quality,
    stream,
    stream_tables,
    taste_map,
    tracks,
    trajectory,
)
from dashboard.analytics.answers import Answers
from dashboard.analytics.controls import DOWNLOADS_PATH
from dashboard.analytics.questions import Question, parse
from dashboard.analytics.tables import WRITERS, Table
from dashboard.api.edge import endpoint
from dashboard.refusals import RefusedError
from segue.clock import Clock
from segue.roles import Role

_Read = Callable[[Answers, Question, datetime], Awaitable[Table]]
_PRESET: Final = "24h"
FILES: Final[Mapping[str, tuple[_Read, str]]] = {
    "plays": (now.plays_file, "1h"),
    **dict.fromkeys(tracks.TABLES, (tracks.file, _PRESET)),
    "positions": (chosen_track.file, _PRESET),
    "map": (taste_map.file, taste_map.PRESET),
    "movement": (map_moves.file, taste_map.PRESET),
    **{n: (partial(quality.file, name=n), quality.PRESET) for n in quality.FILES},
    **{name: (partial(audio.file, name=name), _PRESET) for name in audio.TABLES},
    **{name: (partial(stream.file, name=name), "1h") for name in stream_tables.FILES},
    "sessions": (listeners_files.sessions, listeners.PRESET),
    "retention": (listeners_files.retention, listeners.PRESET),
    "clusters": (listeners_files.clusters, listeners.PRESET),
    "heatmap": (listeners_files.heatmap, listeners.PRESET),
    "trajectory": (trajectory.file, listeners.PRESET),
}
"""By name: what reads a table, and the time that is meant where none is told."""
_FOR_ADMINS: Final = frozenset({"trajectory"})
"""Tables of one listener."""


def create_router(answers: Answers, clock: Clock) -> APIRouter:
    """Return the routes of all tables."""
    router = APIRouter()

    async def get_file(request: Request) -> Response:
        name, form = request.path_params["name"], request.path_params["form"]
        role = Role.ADMIN if name in _FOR_ADMINS else Role.ANALYST
        check_role(who_asks(), role)
        if name not in FILES or form not in WRITERS:
            raise RefusedError(404, "not_found", f"there is no table {name}.{form}")
        read, preset = FILES[name]
        at = clock()
        question = parse(request.url.query, preset, at)
        if name in tracks.TABLES:
            question = question.about(of=name)
        table = await read(answers, question, at)
        write, media_type = WRITERS[form]
        content = await asyncio.to_thread(write, table)
        named = f'attachment; filename="{name}.{form}"'
        headers = {"content-disposition": named}
        return Response(content, headers=headers, media_type=media_type)

    router.add_api_route(
        f"{DOWNLOADS_PATH}/{{name}}.{{form}}",
        endpoint(get_file),
        methods=["GET", "HEAD"],
    )
    return router
