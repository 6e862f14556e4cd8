"""Now: how much is played, by how many, what is on top and what rises."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from dash import html

from dashboard import ids
from dashboard.analytics import controls, rising
from dashboard.analytics.answers import Answers, Choice, Plays, Row
from dashboard.analytics.figures import plays_figure
from dashboard.analytics.names import Named
from dashboard.analytics.parts import (
    NONE,
    as_table,
    graph,
    panel,
    scrolled,
    share,
    table,
    tile,
    trend,
)
from dashboard.analytics.questions import Question, address
from dashboard.analytics.tables import Table
from dashboard.analytics.times import TimeRange, is_kept
from segue import store
from segue.activity import Kind, Level

PATH: Final = "/analytics"
SHOWS: Final = frozenset({store.ACTIVITY})
LAST: Final = timedelta(minutes=5)
N_TOP: Final = 10
_SHOWN_SPANS: Final = 30
# panes are sooner there, but do not tell which plays were left
_OF_LATE: Final = "in the last 5 minutes, counted every 10 s"
_NO_TRACKS: Final = "Tracks are not counted by surface; take that filter out."


@dataclass(frozen=True, slots=True)
class Rise:
    """A track that is played more than before, what is recent counting most."""

    named: Named
    n_plays: int
    n_before: int


def body() -> list[Any]:
    """Return the parts of the page, which are empty at first."""
    figure = plays_figure(Level.MINUTE, [], {})
    return [
        html.Div(id=ids.NOW_TILES, className="tiles"),
        html.Div(
            [
                panel(
                    "Plays",
                    [
                        graph(ids.NOW_FIGURE, figure, "260px"),
                        as_table(ids.NOW_TABLE, "Plays over time"),
                    ],
                ),
                panel("What just happened", [html.Div(id=ids.NOW_FEED)], "narrow"),
                panel("Top tracks", [scrolled(ids.NOW_TOP, "Top tracks")]),
                panel("Rising tracks", [scrolled(ids.NOW_RISING, "Rising tracks")]),
            ],
            className="panels",
        ),
    ]


async def choose(answers: Answers, question: Question, now: datetime) -> list[Any]:
    """Return what may be chosen on the page."""
    time = await answers.spans.range_of(question.wish, now)
    found = [] if time is None else await answers.surfaces(time)
    surfaces = [(each.key, each.name) for each in found]
    styles = await answers.names.styles()
    filters: list[Any] = [
        controls.select("surface", "Surface", surfaces, question.get("surface")),
        controls.select("style", "Style", styles, question.get("style")),
        *await controls.chosen_artist(PATH, question, answers.names),
    ]
    return controls.controls(PATH, question, filters, "plays")


async def read(
    answers: Answers, question: Question, now: datetime
) -> dict[str, dict[str, Any]]:
    """Return what the page shows."""
    time = await answers.time_of(question, now)
    choice = await answers.choice_of(question)
    plays = await answers.plays(time, choice)
    last = await answers.plays(last_minutes(now), choice)
    is_empty = not (plays.totals.n_plays or plays.totals.n_started)
    silence = f"Nothing was played{choice.words} in this time." if is_empty else ""
    figure = plays_figure(time.level, time.starts, plays.by_span)
    return {
        ids.ANALYSIS_NOTE: {"children": silence},
        ids.ANALYSIS_TIME: {"children": time.words},
        ids.NOW_TILES: {"children": tiles(plays, last, now)},
        ids.NOW_FIGURE: {"figure": figure},
        ids.NOW_TABLE: {"children": plays_table(plays)},
        **await _tracks(answers, question, time, choice, now),
    }


def last_minutes(now: datetime) -> TimeRange:
    """Return the last five minutes, of which the last one still runs."""
    end = Level.MINUTE.end_of(Level.MINUTE.start_of(now))
    return TimeRange(Level.MINUTE, end - LAST, end)


async def rises(
    answers: Answers, question: Question, time: TimeRange, now: datetime
) -> list[Rise]:
    """Return the tracks that are played more than in the time before."""
    if question.wish.start is None:  # there is nothing before all
        return []
    earlier = time.before
    if not is_kept(earlier, now):  # all would seem to rise
        return []
    codes = await answers.codes_of(question)
    spans = await answers.spans.read(time, Kind.TRACK)
    before = await answers.spans.read(earlier, Kind.TRACK)
    starts = time.starts
    cells = await answers.summed(rising.faded(spans, starts))
    cells_before = await answers.summed(before)
    fade = rising.usual_fade(time.level, starts, now)
    found = await asyncio.to_thread(
        rising.rising, cells, cells_before, codes, fade, N_TOP
    )
    named = await answers.named(Kind.TRACK, spans, [each.code for each in found])
    return [
        Rise(named[code], n_plays, n_before)
        for code, n_plays, n_before in found
        if code in named
    ]


async def plays_file(answers: Answers, question: Question, now: datetime) -> Table:
    """Return plays over time as a table for a file."""
    time = await answers.time_of(question, now)
    plays = await answers.plays(time, await answers.choice_of(question))
    return {"start": time.starts, **plays.by_span}


def tiles(plays: Plays, last: Plays, now: datetime) -> list[html.Div]:
    """Return the figures at the head of the page."""
    minutes = (now - last.time.start).total_seconds() / 60
    told, all_of = last.totals, plays.totals
    of_late = [
        tile("Plays/min", f"{told.n_plays / minutes:,.1f}", _OF_LATE),
        tile("Starts/min", f"{told.n_started / minutes:,.1f}", _OF_LATE),
        tile("Active", _number(told.n_listeners), f"listeners {_OF_LATE}"),
    ]
    return [
        # of a time that is over, they would not be about what stands beside them
        *(of_late if plays.time.end > last.time.start else []),
        tile("Skip rate", share(all_of.skip_share), "of the plays in this time"),
        tile(
            "Plays",
            f"{all_of.n_plays:,}",
            f"in this time, by {_number(all_of.n_listeners)} "
            + ("listener" if all_of.n_listeners == 1 else "listeners"),
        ),
    ]


def plays_table(plays: Plays) -> html.Table:
    """Return the newest spans of the figure as a table."""
    names = ("n_plays", "n_started", "n_completed", "n_left", "n_skipped")
    columns = [plays.by_span[name][-_SHOWN_SPANS:] for name in names]
    starts = plays.time.starts[-_SHOWN_SPANS:]
    rows = [
        (f"{start:%Y-%m-%d %H:%M}", *(f"{each:,}" for each in counts))
        for start, *counts in zip(starts, *columns, strict=True)
    ]
    heads = ("From, UTC", "Plays", "Started", "Completed", "Left", "Skipped")
    caption = f"Plays by {plays.time.level}, the newest {_SHOWN_SPANS}"
    return table(caption, heads, reversed(rows))


async def _tracks(
    answers: Answers,
    question: Question,
    time: TimeRange,
    choice: Choice,
    now: datetime,
) -> dict[str, dict[str, Any]]:
    if choice.kind is Kind.SURFACE:
        silent = {"children": html.P(_NO_TRACKS)}
        return {ids.NOW_TOP: silent, ids.NOW_RISING: silent}
    codes = await answers.codes_of(question)
    top = await answers.ranking(time, Kind.TRACK, "n_plays", codes, N_TOP)
    risen = await rises(answers, question, time, now)
    return {
        ids.NOW_TOP: {"children": _top(top.rows)},
        ids.NOW_RISING: {"children": _rises(risen)},
    }


def _top(rows: Sequence[Row]) -> html.Table | html.P:
    if not rows:
        return html.P("No play of a track has ended in this time yet.")
    return table(
        "Most plays in this time",
        ("Track", "Plays", "Listeners", "Skipped", "Over time"),
        [
            (
                _track(row.named),
                f"{row.totals.n_plays:,}",
                _number(row.totals.n_listeners),
                share(row.totals.skip_share),
                trend(row.trend),
            )
            for row in rows
        ],
    )


def _rises(rows: Sequence[Rise]) -> html.Table | html.P:
    if not rows:
        return html.P("No track is played more than in the time before.")
    return table(
        "Against as long a time before; a play counts half after a quarter of the time",
        ("Track", "Plays", "Before"),
        [(_track(r.named), f"{r.n_plays:,}", f"{r.n_before:,}") for r in rows],
    )


def _track(named: Named) -> html.Span:
    href = address(f"{PATH}/tracks", {"track": named.key})
    return html.Span(
        [html.A(named.name, href=href, className="way"), html.Span(named.note)],
        className="named",
    )


def _number(value: int | None) -> str:
    return NONE if value is None else f"{value:,}"
