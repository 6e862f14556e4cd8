"""One listener's taste over time, as a way in the plane of all tracks: for admins."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
from dash import dcc, html
from pymongo import DESCENDING
from pymongo.asynchronous.database import AsyncDatabase

from dashboard import dates, ids
from dashboard.analytics import controls, population
from dashboard.analytics.answers import Answers, nothing
from dashboard.analytics.listeners_figures import trajectory_figure
from dashboard.analytics.parts import as_table, graph, table
from dashboard.analytics.questions import Question
from dashboard.analytics.tables import Table
from dashboard.analytics.taste_way import HALF_LIFE_D, Ground, Step, ground_of, way_of
from dashboard.analytics.times import Wish
from dashboard.marks import marks
from dashboard.refusals import RefusedError
from models.plane import Plane
from segue import store
from segue.activity import Kind
from segue.errors import IndexMissingError
from segue.listeners import is_listener
from segue.store import Document
from segue.track_index import read_track_index

SHOWS: Final = frozenset({store.TASTE_DAYS})
FOR_OTHERS: Final = (
    "One listener's taste over time is shown to admins alone; this page tells the "
    "others nothing of fewer than five people."
)
MOST_DATES: Final = 366
_MOST_TRACKS: Final = 400
_SHOWN_CHARS: Final = 40
_FIELDS: Final[Mapping[str, Any]] = {
    "day": 1,
    "n_listens": 1,
    "track_ids": {"$slice": _MOST_TRACKS},
    "weights": {"$slice": _MOST_TRACKS},
}


def body() -> list[Any]:
    """Return the parts for admins, which are empty at first."""
    figure = trajectory_figure([], [], [], {})
    return [
        html.Section(
            [
                html.H2("One listener's taste over time"),
                _form(),
                html.P(id=ids.TRAJECTORY_NOTE, className="facts", role="status"),
                html.Div(
                    [
                        graph(ids.TRAJECTORY_FIGURE, figure, "420px"),
                        as_table(ids.TRAJECTORY_TABLE, "Taste by date"),
                        html.Div(id=ids.TRAJECTORY_FILES),
                    ],
                    id=ids.TRAJECTORY,
                    hidden=True,
                ),
            ],
            className="panel",
        )
    ]


async def read(
    answers: Answers, question: Question, now: datetime
) -> dict[str, dict[str, Any]]:
    """Return the way of the listener who is asked for, or why there is none."""
    try:
        ground, steps = await _asked(answers, question)
        clusters = await population.read_clusters(answers.database)
    except RefusedError as refused:
        return {
            ids.TRAJECTORY_NOTE: {"children": refused.detail},
            ids.TRAJECTORY: {"hidden": True},
        }
    tracks = await answers.names.of(Kind.TRACK, {step.track_id for step in steps})
    names = [tracks[step.track_id].name for step in steps]
    labels = [
        f"{dates.day(step.day)}: {step.n_listens} listens, most {name}"
        for step, name in zip(steps, names, strict=True)
    ]
    path = [[step.x, step.y] for step in steps]
    n_dims = len(ground.plane.mean)
    centres = {
        each.name: ground.plane.place(np.array([each.center]))[0].tolist()
        for each in clusters
        if len(each.center) == n_dims
    }
    figure = trajectory_figure(ground.some, path, labels, centres)
    return {
        ids.TRAJECTORY_NOTE: {"children": _words(question, steps, ground.plane)},
        ids.TRAJECTORY: {"hidden": False},
        ids.TRAJECTORY_FIGURE: {"figure": figure},
        ids.TRAJECTORY_TABLE: {"children": _table(steps, names)},
        ids.TRAJECTORY_FILES: {
            "children": controls.downloads(question, "trajectory"),
        },
    }


async def file(answers: Answers, question: Question, now: datetime) -> Table:
    """Return the way as a table for a file."""
    _, steps = await _asked(answers, question)
    tracks = await answers.names.of(Kind.TRACK, {step.track_id for step in steps})
    return {
        "day": [step.day.date() for step in steps],
        "x": [step.x for step in steps],
        "y": [step.y for step in steps],
        "n_listens": [step.n_listens for step in steps],
        "track_id": [step.track_id for step in steps],
        "title": [tracks[step.track_id].name for step in steps],
    }


async def _asked(answers: Answers, question: Question) -> tuple[Ground, list[Step]]:
    """Return the ground and the way of the listener of a question.

    Raises
    ------
    RefusedError
        Where none is named, or nothing is known.
    """
    listener = question.get("listener")
    if not listener:
        raise nothing("Say whose taste: the name of a listener.")
    if not is_listener(listener):
        shown = listener[:_SHOWN_CHARS]
        raise RefusedError(400, "bad_name", f"No listener has the name “{shown}”.")
    ground = await asyncio.to_thread(_ground, answers.home / "index")
    days = await _days(answers.database, listener, question.wish)
    try:
        steps = await asyncio.to_thread(way_of, days, ground)
    except (KeyError, TypeError, ValueError):
        raise RefusedError(
            503,
            "damaged",
            f"The taste of {listener} is damaged: “segue recompute” makes it anew.",
        ) from None
    if not steps:
        raise nothing(
            f"Of {listener} no date with a taste is known in this time; a date is "
            "written when the listener plays again after it."
        )
    return ground, steps


async def _days(
    database: AsyncDatabase[Document], listener: str, wish: Wish
) -> list[Document]:
    """Return a listener's dates in a time, oldest first; the newest ones."""
    within: dict[str, Any] = {"$lt": wish.end}
    if wish.start is not None:
        within["$gte"] = wish.start.replace(hour=0, minute=0, second=0, microsecond=0)
    found = database[store.TASTE_DAYS].find(
        {"user_id": listener, "day": within}, _FIELDS
    )
    rows = await found.sort("day", DESCENDING).limit(MOST_DATES).to_list()
    return rows[::-1]


def _ground(folder: Path) -> Ground:
    try:
        return ground_of(folder, read_track_index(folder).version)
    except IndexMissingError:
        raise RefusedError(
            503,
            "no_index",
            "No music was analysed yet; “segue features build DIR” does it.",
        ) from None


def _form() -> html.Form:
    name = "listener"
    return html.Form(
        [
            html.Label(
                [
                    "Listener",
                    dcc.Input(
                        id=ids.TRAJECTORY_LISTENER,
                        name=name,
                        type="text",
                        autoComplete="off",
                        maxLength=64,
                    ),
                ],
                htmlFor=ids.TRAJECTORY_LISTENER,
            ),
            html.Button("Show", type="submit", className="main-button"),
        ],
        method="get",
        className="query",
        **marks(data_query="", aria_label="Whose taste"),
    )


def _words(question: Question, steps: Sequence[Step], plane: Plane) -> str:
    return (
        f"{question.get('listener')}, {len(steps)} dates: each place is the mean of "
        f"what was heard up to that date (UTC), which fades by half in "
        f"{HALF_LIFE_D:.0f} days. The plane shows {plane.shown:.0%} of how tracks "
        "differ; its axes have no names."
    )


def _table(steps: Sequence[Step], names: Sequence[str]) -> html.Table:
    rows = [
        (
            dates.day(step.day),
            f"{step.n_listens:,}",
            name,
            f"{step.x:.3f}",
            f"{step.y:.3f}",
        )
        for step, name in zip(steps, names, strict=True)
    ]
    heads = ("Date, UTC", "Listens", "Most", "x", "y")
    return table(f"Taste after each of {len(rows)} dates", heads, reversed(rows))
