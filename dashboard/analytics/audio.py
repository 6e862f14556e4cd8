"""Audio space: hubs, dimensions, copies, failures, and what moved between reports."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from dash import html

from dashboard import ids
from dashboard.analytics import audio_tables, controls
from dashboard.analytics import audio_words as words
from dashboard.analytics.answers import Answers
from dashboard.analytics.audio_figures import drift_figure, hub_figure
from dashboard.analytics.audio_reading import Compared, compared, listed
from dashboard.analytics.names import Named
from dashboard.analytics.parts import as_table, graph, panel, scrolled, table
from dashboard.analytics.questions import Question
from dashboard.analytics.tables import Table
from dashboard.dates import moment
from dashboard.marks import marks
from segue import store
from segue.activity import Kind
from segue.audio_reports import drift_between

PATH: Final = "/analytics/audio"
SHOWS: Final = frozenset({store.AUDIO_REPORTS})
TABLES: Final = ("hubs", "drift", "dimensions", "failures", "recordings", "copies")
"""What may be downloaded."""
_N_SHOWN: Final = 100


def body() -> list[Any]:
    """Return the parts of the page, which are empty at first."""
    hubs = [
        html.Div(id=ids.AUDIO_HUBS),
        graph(ids.AUDIO_HUBS_FIGURE, hub_figure(None), "300px"),
        as_table(ids.AUDIO_HUBS_TABLE, "Tracks by the number of lists"),
    ]
    drift = [
        html.Div(id=ids.AUDIO_DRIFT),
        graph(ids.AUDIO_DRIFT_FIGURE, drift_figure([]), "300px"),
        as_table(ids.AUDIO_DRIFT_TABLE, "Drift by block"),
    ]
    others = (
        ("Dead and repeated dimensions", ids.AUDIO_DIMENSIONS, "Dimensions"),
        ("Files that fail", ids.AUDIO_FAILURES, "Files that fail"),
        ("Tracks of the same recording", ids.AUDIO_RECORDINGS, "Same recordings"),
        ("Files of the same bytes", ids.AUDIO_COPIES, "Copies of files"),
    )
    return [
        html.Div(id=ids.AUDIO_TILES, className="tiles"),
        panel("Hubs", hubs),
        panel("Drift between reports", drift),
        *(panel(title, [scrolled(name, label)]) for title, name, label in others),
    ]


async def choose(answers: Answers, question: Question, _now: datetime) -> list[Any]:
    """Return which reports may be chosen."""
    reports = [
        (each.version, f"{moment(each.made_at)} UTC, {each.n_tracks:,} tracks")
        for each in await listed(answers.database)
    ]
    if not reports:
        return []
    ways = (
        ("report", "Report", "The newest"),
        ("before", "Compared with", "The one before"),
    )
    fields = [
        controls.select(name, label, reports, question.get(name), first)
        for name, label, first in ways
    ]
    button = html.Button("Apply", type="submit", className="main-button")
    return [
        html.Form(
            [*fields, button],
            action=PATH,
            method="get",
            className="query",
            **marks(data_query="", aria_label="Reports"),
        )
    ]


async def read(
    answers: Answers, question: Question, _now: datetime
) -> dict[str, dict[str, Any]]:
    """Return what the page shows."""
    found = await compared(answers.database, question)
    report, before = found.report, found.before
    moved = [] if before is None else drift_between(before, report)
    named = await answers.names.of(Kind.TRACK, audio_tables.track_ids(found))
    parts = {
        ids.AUDIO_HUBS: [words.hubs(report.hubs), *_about(question, "hubs")],
        ids.AUDIO_HUBS_TABLE: _hubs_table(found),
        ids.AUDIO_DRIFT: [
            *words.drift(report, before, moved),
            *_about(question, "drift"),
        ],
        ids.AUDIO_DRIFT_TABLE: _drift_table(found),
        ids.AUDIO_DIMENSIONS: _dimensions(found, question),
        ids.AUDIO_FAILURES: _failures(found, question),
        ids.AUDIO_RECORDINGS: _recordings(found, named, question),
        ids.AUDIO_COPIES: _copies(found, question),
        ids.AUDIO_TILES: words.tiles(report),
        ids.ANALYSIS_NOTE: "",
        ids.ANALYSIS_TIME: words.about(report),
    }
    return {
        **{name: {"children": content} for name, content in parts.items()},
        ids.AUDIO_HUBS_FIGURE: {"figure": hub_figure(report.hubs)},
        ids.AUDIO_DRIFT_FIGURE: {"figure": drift_figure(moved)},
    }


async def file(
    answers: Answers, question: Question, _now: datetime, name: str
) -> Table:
    """Return one of `TABLES` for a file."""
    found = await compared(answers.database, question)
    if name == "recordings":
        keys = audio_tables.track_ids(found)
        return audio_tables.recordings(found, await answers.names.of(Kind.TRACK, keys))
    made: Table = getattr(audio_tables, name)(found)
    return made


def _about(question: Question, name: str) -> list[Any]:
    return [
        html.P(words.MEANINGS[name], className="meaning"),
        controls.downloads(question, name),
    ]


def _hubs_table(found: Compared) -> html.Table:
    columns = audio_tables.hubs(found)
    rows = [
        (each, *(f"{n:,}" for n in counts))
        for each, *counts in _rows_of(columns)
        if any(counts)
    ]
    ways = [each.way for each in found.report.hubs.ways]
    caption = f"Of {found.report.hubs.n_sampled:,} tracks"
    return table(caption, ("In so many lists", *ways), rows)


def _drift_table(found: Compared) -> html.Table:
    rows = [
        (block, *map(words.deviations, (mean, most)), dim or "", words.deviations(run))
        for block, mean, most, dim, run in _rows_of(audio_tables.drift(found))
    ]
    heads = ("Block", "All dimensions", "Farthest", "Which", "Newest run")
    return table("Differences of means, in deviations", heads, rows)


def _dimensions(found: Compared, question: Question) -> list[Any]:
    odd = [row for row in _rows_of(audio_tables.dimensions(found)) if row[4] or row[5]]
    rows = [
        (name, words.oddity(dead, repeats, r), f"{mean:.4g}", f"{deviation:.4g}")
        for name, mean, deviation, _, dead, repeats, r in odd[:_N_SHOWN]
    ]
    heads = ("Dimension", "What is wrong", "Mean", "Deviation")
    blocks = table(
        "All blocks",
        ("Block", "Dimensions", "Dead", "Zeros", "No numbers"),
        words.block_rows(found.report),
    )
    return [
        words.dimensions(found.report),
        *_about(question, "dimensions"),
        *([table(_caption(len(rows), len(odd)), heads, rows)] if rows else []),
        blocks,
    ]


def _failures(found: Compared, question: Question) -> list[Any]:
    told = found.report.failures
    if not told.n_files:
        return [words.failures(told), *_about(question, "failures")]
    reasons = table(
        "By reason",
        ("Stage", "Error", "Files", "Tried again"),
        [(r.stage, r.error_class, f"{r.n_files:,}", r.n_retry) for r in told.reasons],
    )
    files = table(
        _caption(min(_N_SHOWN, len(told.newest)), told.n_files),
        ("File", "Stage", "Reason", "When, UTC", "Tried again"),
        [
            (
                each.path,
                each.stage,
                each.message,
                moment(each.failed_at),
                "yes" if each.retry else "no",
            )
            for each in told.newest[:_N_SHOWN]
        ],
    )
    return [words.failures(told), *_about(question, "failures"), reasons, files]


def _recordings(
    found: Compared, named: Mapping[str, Named], question: Question
) -> list[Any]:
    groups = found.report.recordings
    head = [words.recordings(groups), *_about(question, "recordings")]
    if not groups.n_groups:
        return head
    rows = [
        (
            f"{group.n:,}",
            _lines([_track(named[key]) for key in group.first], group.n),
        )
        for group in groups.largest
    ]
    caption = _caption(len(rows), groups.n_groups)
    return [*head, words.sizes(groups), table(caption, ("Tracks", "Which"), rows)]


def _copies(found: Compared, question: Question) -> list[Any]:
    groups = found.report.copies
    head = [words.copies(groups), *_about(question, "copies")]
    if not groups.n_groups:
        return head
    rows = [(f"{g.n:,}", _lines(g.first, g.n)) for g in groups.largest]
    caption = _caption(len(rows), groups.n_groups)
    return [*head, words.sizes(groups), table(caption, ("Files", "Which"), rows)]


def _lines(content: Sequence[Any], n: int) -> html.Ul:
    more = [html.Li(f"and {n - len(content)} more")] if n > len(content) else []
    return html.Ul([*map(html.Li, content), *more], className="members")


def _track(named: Named) -> list[Any]:
    href = f"/track/{quote(named.key, safe='')}"
    way = html.A(named.name, href=href, className="way")
    return [way, f" · {named.note}"]


def _caption(n_shown: int, n: int) -> str:
    return f"All {n:,}" if n_shown >= n else f"The first {n_shown:,} of {n:,}"


def _rows_of(columns: Table) -> list[tuple[Any, ...]]:
    return list(zip(*columns.values(), strict=True))
