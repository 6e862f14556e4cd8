"""Stream health: whether lists are fresh, what each query does, and the ledger."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from dash import html

from dashboard import ids
from dashboard.analytics import controls, stream_tables
from dashboard.analytics import stream_figures as figures
from dashboard.analytics import stream_parts as parts
from dashboard.analytics.answers import Answers
from dashboard.analytics.freshness import QUERY
from dashboard.analytics.parts import as_table, graph, panel, scrolled
from dashboard.analytics.questions import Question
from dashboard.analytics.stream_history import EMPTY, History, steps_of
from dashboard.analytics.stream_state import read_state
from dashboard.analytics.tables import Table
from dashboard.figures import batch_figure
from dashboard.panels import ledger, stream_table
from dashboard.refusals import RefusedError
from dashboard.stream_queries import read_health
from segue import store

PATH: Final = "/analytics/stream"
SHOWS: Final = frozenset({store.LIST_DELAYS, store.STREAM_MINUTES})
STATE_SHOWS: Final = frozenset({store.RECOMMENDATIONS, store.STREAM_PROGRESS})
LEDGER_SHOWS: Final = frozenset({store.TASTE_WINDOWS, store.REJECTED_COUNTS})
RANGES: Final = ("1h", "6h", "24h")
QUERIES: Final = (QUERY, "intake")
_BUSY_S: Final = 5.0
_SILENCE: Final = "The stream has noted nothing in this time."

Shown = dict[str, dict[str, Any]]
_Draw = Callable[[History, str], Any]
_PANELS: Final[dict[str, tuple[str, _Draw, _Draw]]] = {
    ids.DELAYS: (
        "Event to list",
        lambda history, _: figures.delays_figure(history),
        lambda history, _: stream_tables.delays_table(history),
    ),
    ids.RATES: (
        "Messages a second",
        lambda history, _: figures.rates_figure(history),
        lambda history, _: stream_tables.rates_table(history),
    ),
    ids.PHASES: (
        "Time of a micro-batch",
        figures.phases_figure,
        stream_tables.phases_table,
    ),
    ids.STATE: ("State", figures.state_figure, stream_tables.state_table),
    ids.LAG: ("What waits", figures.lag_figure, stream_tables.lag_table),
    ids.MESSAGES: (
        "What did not count",
        lambda history, _: figures.messages_figure(history),
        lambda history, _: stream_tables.messages_table(history),
    ),
}
"""Of each panel over time: its title, its figure and its table."""


def head() -> list[Any]:
    """Return what stands above the question, whatever that is."""
    return [
        html.Div(id=ids.FRESH, className="fresh"),
        html.Div(id=ids.TILES, className="tiles"),
        parts.thresholds(),
    ]


def body() -> list[Any]:
    """Return the parts of the page, which are empty at first."""
    over_time = [
        panel(
            title,
            [
                graph(f"{name}-figure", figure(EMPTY, ""), "220px"),
                as_table(f"{name}-table", f"{title}, as a table"),
            ],
            "half",
        )
        for name, (title, figure, _) in _PANELS.items()
    ]
    return [
        html.Div(over_time, className="panels halves"),
        html.Div([_last(), _ledger()], className="panels"),
    ]


def _last() -> html.Section:
    return panel(
        "The last micro-batch",
        [
            graph(ids.BATCH_FIGURE, batch_figure([]), "170px"),
            scrolled(ids.STREAM_TABLE, "Queries of the stream"),
            scrolled(ids.WAITING_TABLE, "Messages that wait in Kafka"),
        ],
    )


def _ledger() -> html.Section:
    return panel("Every message, accounted for", [html.Div(id=ids.LEDGER)], "narrow")


async def choose(_answers: Answers, question: Question, _now: datetime) -> list[Any]:
    """Return what may be chosen on the page."""
    chosen = question.get("of") or QUERY
    ways = [(each, question.href(PATH, of=each), each == chosen) for each in QUERIES]
    return [
        *controls.controls(PATH, question, [], *stream_tables.FILES, ranges=RANGES),
        controls.tabs("Query", ways),
    ]


async def read(answers: Answers, question: Question, now: datetime) -> Shown:
    """Return what the page shows over time.

    Raises
    ------
    RefusedError
        Where there is no such query, or nothing is kept of the time.
    """
    query = question.get("of") or QUERY
    if query not in QUERIES:
        said = f"There is no such query; there are {' and '.join(QUERIES)}."
        raise RefusedError(400, "wrong_query", said)
    history = await _history(answers, question, now)
    shown: Shown = {
        ids.ANALYSIS_NOTE: {"children": _SILENCE if history.is_empty else ""},
        ids.ANALYSIS_TIME: {"children": history.steps.words},
    }
    for name, (_, figure, table) in _PANELS.items():
        shown[f"{name}-figure"] = {"figure": figure(history, query)}
        shown[f"{name}-table"] = {"children": table(history, query)}
    return shown


async def read_now(answers: Answers, _question: Question, now: datetime) -> Shown:
    """Return what the page shows of this moment."""
    state = await read_state(answers.database, now)
    return {
        ids.FRESH: {"children": parts.fresh(state)},
        ids.TILES: {"children": parts.tiles(state)},
        ids.BATCH_FIGURE: {"figure": batch_figure(state.queries)},
        ids.STREAM_TABLE: {"children": stream_table(state.queries)},
        ids.WAITING_TABLE: {"children": parts.waiting_table(state)},
    }


async def read_book(answers: Answers, _question: Question, now: datetime) -> Shown:
    """Return where every message went."""
    book = await answers.books.read()
    health = await read_health(answers.database, now)
    ages_s = [(now - query.updated_at).total_seconds() for query in health]
    is_busy = any(age_s < _BUSY_S for age_s in ages_s)
    return {ids.LEDGER: {"children": ledger(book, is_busy)}}


async def file(answers: Answers, question: Question, now: datetime, name: str) -> Table:
    """Return a table of the history for a file, of those in `stream_tables.FILES`."""
    history = await _history(answers, question, now)
    return stream_tables.FILES[name](history)


async def _history(answers: Answers, question: Question, now: datetime) -> History:
    return await answers.minutes.read(steps_of(question.wish, now), now)
