"""Listeners: sessions, when is listened, who came back, and tastes that are alike.

Nothing is told of fewer than five people (`segue.small_groups`).
"""

import asyncio
from datetime import datetime
from typing import Any, Final

from dash import dcc, html

from dashboard import dates, ids
from dashboard.analytics import controls, listeners_figures, listeners_parts, population
from dashboard.analytics.answers import Answers
from dashboard.analytics.heat import HOURS, WEEKDAYS, Heat, heat_of, zone_of
from dashboard.analytics.parts import as_table, graph, panel, scrolled
from dashboard.analytics.population import Cluster, Cohort
from dashboard.analytics.questions import Question
from dashboard.analytics.spans import LISTENERS
from dashboard.analytics.times import hours_in
from dashboard.refusals import RefusedError
from segue import store
from segue.activity import Kind
from segue.population import length_names

PATH: Final = "/analytics/listeners"
SHOWS: Final = frozenset({store.POPULATION})
PRESET: Final = "90d"
MEASURES: Final = ("plays", "listeners")
"""What the heat map may show, by the word of the address."""
_FILES: Final = ("sessions", "heatmap", "retention", "clusters", "returns")
_SHOWN_WEEKS: Final = 26
_NOT_COUNTED: Final = (
    "Nothing was counted of listeners together yet: “segue population” does it, best "
    "each night. Plays by weekday and hour are there without it."
)
_NOTHING: Final = {
    "sessions": "No date in this time has sessions of five listeners or more.",
    "cohorts": "In no week of this time did five listeners or more play first.",
    "heat": "In no hour of this time of which it is still known did five listeners "
    "or more play; hours are kept for 90 days.",
    "clusters": "There are no five listeners with a taste, or no music was analysed.",
}


def body() -> list[Any]:
    """Return the parts of the page, which are empty at first."""
    figures = listeners_figures
    return [
        html.Div(id=ids.SESSION_TILES, className="tiles"),
        html.Div(
            [
                panel(
                    "Sessions by date",
                    [
                        html.P(listeners_parts.SESSIONS, className="facts"),
                        graph(
                            ids.SESSIONS_FIGURE,
                            figures.sessions_figure([], [], []),
                            "240px",
                        ),
                        as_table(ids.SESSIONS_TABLE, "Sessions by date"),
                    ],
                ),
                panel(
                    "How long sessions last",
                    [
                        graph(
                            ids.LENGTHS_FIGURE, figures.lengths_figure([], []), "240px"
                        ),
                        as_table(ids.LENGTHS_TABLE, "Sessions by length"),
                    ],
                    "",
                ),
            ],
            className="panels",
        ),
        panel(
            "When is listened",
            [
                html.P(id=ids.HEAT_WORDS, className="facts"),
                graph(ids.HEAT_FIGURE, figures.heat_figure([], [], [], ""), "240px"),
                as_table(ids.HEAT_TABLE, "Plays and listeners by weekday and hour"),
            ],
        ),
        panel(
            "Who came back",
            [
                html.P(listeners_parts.COHORTS, className="facts"),
                graph(ids.COHORTS_FIGURE, figures.cohorts_figure([], [], []), "420px"),
                as_table(ids.COHORTS_TABLE, "Listeners by first week"),
            ],
        ),
        panel(
            "Tastes that are alike",
            [
                html.P(listeners_parts.CLUSTERS, className="facts"),
                scrolled(ids.CLUSTERS, "Clusters of taste"),
                html.H3("Who came back, by cluster and weeks since the first play"),
                graph(ids.KEPT_FIGURE, figures.kept_figure({}), "260px"),
                as_table(ids.KEPT_TABLE, "Share that played, by cluster"),
            ],
        ),
    ]


async def choose(answers: Answers, question: Question, now: datetime) -> list[Any]:
    """Return what may be chosen on the page."""
    of = question.get("of") or MEASURES[0]
    ways = [
        (f"Heat map of {name}", question.href(PATH, of=name), name == of)
        for name in MEASURES
    ]
    return [
        *controls.controls(PATH, question, [_zone(question)], *_FILES),
        controls.tabs("What the heat map shows", ways),
    ]


async def read(
    answers: Answers, question: Question, now: datetime
) -> dict[str, dict[str, Any]]:
    """Return what the page shows."""
    measure, zone = measure_of(question), zone_of(question)
    at = await population.counted_at(answers.database)
    counted = "" if at is None else f" Counted {dates.moment(at)} UTC."
    return {
        ids.ANALYSIS_NOTE: {"children": _NOT_COUNTED if at is None else ""},
        ids.ANALYSIS_TIME: {"children": listeners_parts.words(question.wish) + counted},
        **await _sessions(answers, question),
        **_heat(await read_heat(answers, question, now), measure, zone),
        **_cohorts(
            await population.read_cohorts(answers.database, question.wish, _SHOWN_WEEKS)
        ),
        **await _clusters(answers),
    }


def measure_of(question: Question) -> str:
    """Return what the heat map is to show.

    Raises
    ------
    RefusedError
        For anything else.
    """
    name = question.get("of") or MEASURES[0]
    if name not in MEASURES:
        raise RefusedError(
            400,
            "wrong_measure",
            f"There is no such heat map; there are {' and '.join(MEASURES)}.",
        )
    return name


async def read_heat(answers: Answers, question: Question, now: datetime) -> Heat:
    """Return plays and listeners by weekday and hour, of hours that are kept."""
    zone, time = zone_of(question), hours_in(question.wish, now)
    if time is None:
        return heat_of([], zone)
    read = await answers.spans.read(time, Kind.ALL, LISTENERS)
    return await asyncio.to_thread(heat_of, read, zone)


async def _sessions(answers: Answers, question: Question) -> dict[str, Any]:
    days = await population.read_sessions(answers.database, question.wish)
    counts = [sum(each) for each in zip(*(day.lengths for day in days), strict=True)]
    names = length_names()[: len(counts)]
    figure = listeners_figures.sessions_figure(
        [day.day for day in days],
        [day.n_sessions for day in days],
        [day.n_listeners for day in days],
    )
    drawn = listeners_figures.lengths_figure(names, counts)
    silence = _NOTHING["sessions"]
    return {
        ids.SESSION_TILES: {"children": listeners_parts.session_tiles(days)},
        ids.SESSIONS_FIGURE: {"figure": figure},
        ids.SESSIONS_TABLE: {
            "children": listeners_parts.sessions_table(days) if days else silence
        },
        ids.LENGTHS_FIGURE: {"figure": drawn},
        ids.LENGTHS_TABLE: {
            "children": listeners_parts.lengths_table(names, counts)
            if days
            else silence
        },
    }


def _heat(heat: Heat, measure: str, zone: str) -> dict[str, Any]:
    figure = listeners_figures.heat_figure(
        getattr(heat, measure), HOURS, WEEKDAYS, measure
    )
    words = _NOTHING["heat"] if heat.is_empty else listeners_parts.heat_words(zone)
    return {
        ids.HEAT_WORDS: {"children": words},
        ids.HEAT_FIGURE: {"figure": figure},
        ids.HEAT_TABLE: {"children": listeners_parts.heat_table(heat)},
    }


def _cohorts(cohorts: list[Cohort]) -> dict[str, Any]:
    n_weeks = min(_SHOWN_WEEKS, max((len(c.played) for c in cohorts), default=0))
    shares = [[c.share(since) for since in range(n_weeks)] for c in cohorts]
    weeks = [str(since) for since in range(n_weeks)]
    firsts = [dates.day(c.first_week) for c in cohorts]
    told = listeners_parts.cohorts_table(cohorts, n_weeks)
    return {
        ids.COHORTS_FIGURE: {
            "figure": listeners_figures.cohorts_figure(shares, weeks, firsts)
        },
        ids.COHORTS_TABLE: {"children": told if cohorts else _NOTHING["cohorts"]},
    }


async def _clusters(answers: Answers) -> dict[str, Any]:
    clusters: list[Cluster] = await population.read_clusters(answers.database)
    styles = await answers.names.of(
        Kind.STYLE, {key for each in clusters for key in each.genre_ids}
    )
    tracks = await answers.names.of(
        Kind.TRACK, {key for each in clusters for key in each.track_ids}
    )
    kept = {each.name: each.retained for each in clusters}
    if not clusters:
        told: Any = html.P(_NOTHING["clusters"])
    else:
        told = listeners_parts.clusters_table(clusters, {**styles, **tracks})
    return {
        ids.CLUSTERS: {"children": told},
        ids.KEPT_FIGURE: {"figure": listeners_figures.kept_figure(kept)},
        ids.KEPT_TABLE: {"children": listeners_parts.kept_table(clusters)},
    }


def _zone(question: Question) -> html.Label:
    return html.Label(
        [
            "Time zone of the heat map",
            dcc.Input(
                id=ids.ANALYSIS_ZONE,
                name="zone",
                type="text",
                value=question.get("zone"),
                placeholder="UTC, Europe/Berlin …",
                autoComplete="off",
                maxLength=64,
            ),
        ],
        htmlFor=ids.ANALYSIS_ZONE,
    )
