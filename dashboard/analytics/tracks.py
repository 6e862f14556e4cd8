"""Tracks and artists: what is played most, and where a track is left."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from dash import html

from dashboard import ids
from dashboard.analytics import chosen_track, controls
from dashboard.analytics.answers import (
    BY_LISTENERS,
    MOST_COMPARED,
    Answers,
    Ranking,
    Row,
)
from dashboard.analytics.parts import scrolled, share, table, trend
from dashboard.analytics.questions import Question
from dashboard.analytics.sums import LEAST_PLAYS, SHARES_OF
from dashboard.analytics.tables import Table
from dashboard.analytics.times import TimeRange
from dashboard.marks import marks
from dashboard.refusals import RefusedError
from segue import store
from segue.activity import Kind

PATH: Final = "/analytics/tracks"
SHOWS: Final = frozenset({store.ACTIVITY})
TABLES: Final[Mapping[str, Kind]] = {
    "tracks": Kind.TRACK,
    "artists": Kind.ARTIST,
    "styles": Kind.STYLE,
    "surfaces": Kind.SURFACE,
}
"""What may be ranked, by the word of the address."""
_N_SHOWN: Final = 25
N_IN_FILE: Final = 1000
_ORDERS: Final[Mapping[str, tuple[str, str]]] = {
    "plays": ("Plays", "n_plays"),
    "listeners": ("Listeners", BY_LISTENERS),
    "skips": ("Skips", "n_skipped"),
    "skip-rate": ("Skip rate", "skip_share"),
    "completed": ("Completed", "completed_share"),
    "heard": ("Hours heard", "heard_ms"),
}
"""By the word of the address: the head of a column, and what is sorted by."""
_MOST_FIRST: Final = marks(aria_sort="descending")


def body() -> list[Any]:
    """Return the parts of the page, which are empty at first."""
    return [
        html.Section(
            [
                html.H2(id=ids.RANKING_TITLE),
                scrolled(ids.RANKING, "Ranking"),
            ],
            className="panel",
        ),
        chosen_track.body(),
    ]


async def choose(answers: Answers, question: Question, _now: datetime) -> list[Any]:
    """Return what may be chosen on the page."""
    styles = await answers.names.styles()
    filters: list[Any] = [
        controls.select("style", "Style", styles, question.get(Kind.STYLE)),
        *await controls.chosen_artist(PATH, question, answers.names),
    ]
    told = question.get("of")
    of = told if told in TABLES else next(iter(TABLES))
    ways = [
        (name.capitalize(), question.href(PATH, of=name, sort=""), name == of)
        for name in TABLES
    ]
    chosen = controls.controls(PATH, question, filters)
    files = [controls.downloads(question.about(track=""), of)]
    if question.get(Kind.TRACK):
        files.append(controls.downloads(question, "positions"))
    return [controls.tabs("What is ranked", ways), *chosen, *files]


async def read(
    answers: Answers, question: Question, now: datetime
) -> dict[str, dict[str, Any]]:
    """Return what the page shows."""
    name, order = _asked(question)
    time = await answers.time_of(question, now)
    ranking = await ranked(answers, question, time, _N_SHOWN)
    silence = "" if ranking.rows else "Nothing that fits was played in this time."
    title = f"{name.capitalize()} by {_ORDERS[order][0].lower()}"
    return {
        ids.ANALYSIS_NOTE: {"children": silence},
        ids.ANALYSIS_TIME: {"children": time.words},
        ids.RANKING_TITLE: {"children": title},
        ids.RANKING: {"children": _table(ranking, question, order)},
        **await chosen_track.read(answers, question, time),
    }


async def ranked(
    answers: Answers, question: Question, time: TimeRange, n: int
) -> Ranking:
    """Return the first `n` of what is asked for.

    Raises
    ------
    RefusedError
        For what cannot be ranked so.
    """
    name, order = _asked(question)
    codes = await answers.codes_of(question)
    if codes is not None and TABLES[name] is not Kind.TRACK:
        raise RefusedError(
            400,
            "not_by_filter",
            f"Only tracks can be chosen by style or artist, {name} cannot: look at "
            "tracks, or take the filter out.",
        )
    return await answers.ranking(time, TABLES[name], _ORDERS[order][1], codes, n)


async def file(answers: Answers, question: Question, now: datetime) -> Table:
    """Return what is ranked as a table for a file."""
    time = await answers.time_of(question, now)
    rows = (await ranked(answers, question, time, N_IN_FILE)).rows
    told = {"key": [r.named.key for r in rows], "name": [r.named.name for r in rows]}
    counts = (
        *("n_plays", "n_listeners", "n_started", "n_completed", "n_skipped"),
        *("n_left", "heard_ms"),
    )
    numbers = {name: [getattr(r.totals, name) for r in rows] for name in counts}
    return {**told, "note": [r.named.note for r in rows], **numbers}


def _asked(question: Question) -> tuple[str, str]:
    """Return what is ranked, and by what."""
    name, order = question.get("of") or "tracks", question.get("sort") or "plays"
    if name not in TABLES:
        raise RefusedError(
            400, "wrong_table", f"There is no such ranking; there are {_all(TABLES)}."
        )
    if order not in _ORDERS:
        raise RefusedError(
            400, "wrong_order", f"There is no such order; there are {_all(_ORDERS)}."
        )
    return name, order


def _all(names: Mapping[str, Any]) -> str:
    return ", ".join(names)


def _table(ranking: Ranking, question: Question, order: str) -> html.Table | str:
    if not ranking.rows:
        return ""
    caption = f"The first {len(ranking.rows)} of {ranking.n_keys:,} that were played"
    if ranking.n_keys > N_IN_FILE:
        caption += f", of which a file has the first {N_IN_FILE:,}"
    if _ORDERS[order][1] in SHARES_OF:
        caption += f"; those of fewer than {LEAST_PLAYS} plays come last"
    if _ORDERS[order][1] == BY_LISTENERS and ranking.n_keys > MOST_COMPARED:
        caption += f"; listeners are compared of the {MOST_COMPARED} most played"
    heads = [
        ranking.kind.capitalize(),
        *(_head(question, word, order) for word in _ORDERS),
        "Over time",
    ]
    rows = [_row(row, ranking.kind, question) for row in ranking.rows]
    return table(caption, heads, rows)


def _head(question: Question, word: str, order: str) -> html.Th:
    """Return the head of a column that is the way to sort by it."""
    link = html.A(_ORDERS[word][0], href=question.href(PATH, sort=word))
    return html.Th(link, scope="col", **(_MOST_FIRST if word == order else {}))


def _row(row: Row, kind: Kind, question: Question) -> Sequence[Any]:
    told = row.totals
    return (
        _name(row, kind, question),
        f"{told.n_plays:,}",
        f"{told.n_listeners or 0:,}",
        f"{told.n_skipped:,}",
        share(told.skip_share),
        share(told.completed_share),
        f"{told.heard_h:,.1f}",
        trend(row.trend),
    )


def _name(row: Row, kind: Kind, question: Question) -> html.Span:
    """Return a name as the way to what else is known of it here."""
    named = row.named
    changes = {
        Kind.TRACK: {"track": named.key},
        Kind.ARTIST: {"of": "tracks", "artist": named.key, "style": "", "sort": ""},
        Kind.STYLE: {"of": "tracks", "style": named.key, "artist": "", "sort": ""},
    }.get(kind)
    if changes is None:
        return html.Span(named.name)
    way = html.A(named.name, href=question.href(PATH, **changes), className="way")
    return html.Span([way, html.Span(named.note)], className="named")
