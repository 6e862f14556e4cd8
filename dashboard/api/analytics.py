"""`GET /api/analytics/NAME.csv` and `.parquet`: what a page shows, as a file."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Final, NamedTuple, Protocol

import pyarrow as pa
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
from dashboard.analytics.stream_history import steps_of
from dashboard.analytics.tables import WRITERS, Table
from dashboard.analytics.times import hours_in
from dashboard.api.edge import endpoint
from dashboard.refusals import RefusedError
from segue.clock import Clock
from segue.roles import Role

_Read = Callable[[Answers, Question, datetime], Awaitable[Table]]


class _Time(Protocol):
    """What a file is of; without a `start` it is all there is."""

    @property
    def start(self) -> datetime | None: ...

    @property
    def end(self) -> datetime: ...


_TimeOf = Callable[[Answers, Question, datetime], Awaitable[_Time | None]]


async def _of_spans(answers: Answers, question: Question, at: datetime) -> _Time | None:
    return await answers.spans.range_of(question.wish, at)


async def _of_lists(answers: Answers, question: Question, at: datetime) -> _Time | None:
    return await answers.served.range_of(question.wish, at)


async def _of_hours(_: Answers, question: Question, at: datetime) -> _Time | None:
    return hours_in(question.wish, at)


async def _of_steps(_: Answers, question: Question, at: datetime) -> _Time | None:
    return steps_of(question.wish, at)


async def _of_dates(_: Answers, question: Question, _at: datetime) -> _Time | None:
    return question.wish


class File(NamedTuple):
    """A table as a file.

    Attributes
    ----------
    page : str
        Key of the page that shows it, whose usual time and filters it has.
    time_of : callable, optional
        Returns the time that it is of; None where it is of none.
    filters : frozenset of str, optional
        Where it cannot be chosen by all of the page's.
    """

    page: str
    read: _Read
    time_of: _TimeOf | None = None
    filters: frozenset[str] | None = None


_OF_SURFACES: Final = frozenset({"surface"})
_OF_RANKINGS: Final = frozenset({"style", "artist"})
FILES: Final[Mapping[str, File]] = {
    "plays": File("", now.plays_file, _of_spans),
    **dict.fromkeys(
        tracks.TABLES, File("tracks", tracks.file, _of_spans, _OF_RANKINGS)
    ),
    "positions": File("tracks", chosen_track.file, _of_spans),
    "map": File("map", taste_map.file, _of_spans),
    "movement": File("map", map_moves.file, _of_dates, frozenset()),
    **{
        name: File("quality", partial(quality.file, name=name), _of_lists)
        for name in quality.FILES
    },
    "listed": File(
        "quality", partial(quality.file, name="listed"), _of_lists, _OF_SURFACES
    ),
    **{name: File("audio", partial(audio.file, name=name)) for name in audio.TABLES},
    **{
        name: File("stream", partial(stream.file, name=name), _of_steps)
        for name in stream_tables.FILES
    },
    "sessions": File("listeners", listeners_files.sessions, _of_dates),
    "heatmap": File("listeners", listeners_files.heatmap, _of_hours),
    "retention": File("listeners", listeners_files.retention, _of_dates),
    "clusters": File("listeners", listeners_files.clusters),
    "returns": File("listeners", listeners_files.returns),
    "trajectory": File("listeners", trajectory.file, _of_dates),
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
        question.check_filters(page.filters if file.filters is None else file.filters)
        if name in tracks.TABLES:
            question = question.about(of=name)
        table = await file.read(answers, question, at)
        time = file.time_of and await file.time_of(answers, question, at)
        write, media_type = WRITERS[form]
        content = await asyncio.to_thread(_written, write, table)
        named = f'attachment; filename="{_stem(name, time)}.{form}"'
        headers = {"content-disposition": named}
        return Response(content, headers=headers, media_type=media_type)

    router.add_api_route(
        f"{DOWNLOADS_PATH}/{{name}}.{{form}}",
        endpoint(get_file),
        methods=["GET", "HEAD"],
    )
    return router


def _written(write: Callable[[Table], bytes], table: Table) -> bytes:
    try:
        return write(table)
    except pa.ArrowInvalid as error:
        raise RefusedError(
            503, "damaged", f"What was counted is damaged: {error}."
        ) from None


def _stem(name: str, time: _Time | None) -> str:
    """Return the name of a file without its end: of what, and of which time.

    Examples
    --------
    >>> from dashboard.analytics.times import Wish
    >>> at = datetime(2026, 5, 3, 22, 10)
    >>> _stem("plays", Wish(None, at)), _stem("map", None)
    ('plays_to_20260503T2210Z', 'map')
    >>> _stem("plays", Wish(datetime(2026, 5, 2), at))
    'plays_20260502T0000Z_to_20260503T2210Z'
    """
    if time is None:
        return name
    start = "" if time.start is None else f"_{time.start:{_AS_NAMED}}"
    return f"{name}{start}_to_{time.end:{_AS_NAMED}}"
