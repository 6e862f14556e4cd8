"""`GET /api/analytics/NAME.csv` and `.parquet`: what a page shows, as a file."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Final, NamedTuple

from fastapi import APIRouter, Request
from starlette.responses import Response

from dashboard.access import check_role, who_asks
from dashboard.analytics import (
    audio,
    chosen_track,
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
from dashboard.analytics.page import PAGES
from dashboard.analytics.questions import Question, parse
from dashboard.analytics.tables import WRITERS, Table
from dashboard.analytics.times import Wish
from dashboard.api.edge import endpoint
from dashboard.refusals import RefusedError
from segue.clock import Clock
from segue.roles import Role

_Read = Callable[[Answers, Question, datetime], Awaitable[Table]]


class File(NamedTuple):
    """A table as a file.

    Attributes
    ----------
    page : str
        Key of the page that shows it: so its usual time and its filters.
    is_of_time : bool
        Whether it is of the time that is asked for.
    """

    page: str
    read: _Read
    is_of_time: bool = True


FILES: Final[Mapping[str, File]] = {
    "plays": File("", now.plays_file),
    **dict.fromkeys(tracks.TABLES, File("tracks", tracks.file)),
    "positions": File("tracks", chosen_track.file),
    "map": File("map", taste_map.file),
    "movement": File("map", map_moves.file),
    **{n: File("quality", partial(quality.file, name=n)) for n in quality.FILES},
    **{n: File("audio", partial(audio.file, name=n), False) for n in audio.TABLES},
    **{n: File("stream", partial(stream.file, name=n)) for n in stream_tables.FILES},
    "sessions": File("listeners", listeners_files.sessions),
    "heatmap": File("listeners", listeners_files.heatmap),
    "retention": File("listeners", listeners_files.retention),
    "clusters": File("listeners", listeners_files.clusters, False),
    "returns": File("listeners", listeners_files.returns, False),
    "trajectory": File("listeners", trajectory.file, False),
}
"""By name."""
_PAGES: Final = {page.key: page for page in PAGES}
_FOR_ADMINS: Final = frozenset({"trajectory"})
"""Tables of one listener."""
_AS_NAMED: Final = "%Y%m%dT%H%MZ"


def create_router(answers: Answers, clock: Clock) -> APIRouter:
    """Return the routes of all tables."""
    router = APIRouter()

    async def get_file(request: Request) -> Response:
        name, form = request.path_params["name"], request.path_params["form"]
        role = Role.ADMIN if name in _FOR_ADMINS else Role.ANALYST
        check_role(who_asks(), role)
        if name not in FILES or form not in WRITERS:
            raise RefusedError(404, "not_found", f"there is no table {name}.{form}")
        file, at = FILES[name], clock()
        page = _PAGES[file.page]
        question = parse(request.url.query, page.preset, at)
        question.check_filters(page.filters)
        if name in tracks.TABLES:
            question = question.about(of=name)
        table = await file.read(answers, question, at)
        write, media_type = WRITERS[form]
        content = await asyncio.to_thread(write, table)
        stem = f"{name}_{_named(question.wish)}" if file.is_of_time else name
        named = f'attachment; filename="{stem}.{form}"'
        headers = {"content-disposition": named}
        return Response(content, headers=headers, media_type=media_type)

    router.add_api_route(
        f"{DOWNLOADS_PATH}/{{name}}.{{form}}",
        endpoint(get_file),
        methods=["GET", "HEAD"],
    )
    return router


def _named(wish: Wish) -> str:
    """Return a time as a part of a file's name.

    Examples
    --------
    >>> at = datetime(2026, 5, 3, 22, 10)
    >>> _named(Wish(None, at)), _named(Wish(datetime(2026, 5, 2), at))
    ('to_20260503T2210Z', '20260502T0000Z_to_20260503T2210Z')
    """
    end = f"to_{wish.end:{_AS_NAMED}}"
    return end if wish.start is None else f"{wish.start:{_AS_NAMED}}_{end}"
