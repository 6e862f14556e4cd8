"""Recommendations: what was served, what became of it, and what was found offline."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from dashboard import ids
from dashboard.analytics import controls, offline, quality_figures
from dashboard.analytics import quality_tables as tables
from dashboard.analytics.answers import Answers, nothing
from dashboard.analytics.questions import Question
from dashboard.analytics.served import Lists
from dashboard.analytics.tables import Table
from dashboard.analytics.times import TimeRange
from segue import store
from segue.activity import Kind
from segue.served import COUNTS, OF_ROWS, Counts, Served, no_rows

PATH: Final = "/analytics/quality"
PRESET: Final = "7d"
SHOWS: Final = frozenset({store.SERVED, store.ACTIVITY})
_LISTED: Final = ("n_listed", "keys")


async def choose(answers: Answers, question: Question, now: datetime) -> list[Any]:
    """Return what may be chosen on the page."""
    time = await answers.served.range_of(question.wish, now)
    surfaces, models = ([], []) if time is None else await answers.served.choices(time)
    filters: list[Any] = [
        controls.select(
            "surface",
            "Surface",
            [(each, tables.name_of_surface(each)) for each in surfaces],
            question.get("surface"),
        ),
        controls.select(
            "model",
            "Model",
            [(each, tables.name_of_model(each)) for each in models],
            question.get("model"),
        ),
    ]
    # plays are not told by model
    files = [each for each in FILES if each != "listed" or not question.get("model")]
    return controls.controls(PATH, question, filters, *files)


async def read(
    answers: Answers, question: Question, now: datetime
) -> dict[str, dict[str, Any]]:
    """Return what the page shows."""
    lists = await chosen_lists(answers, question, now)
    reports = await asyncio.to_thread(offline.read_offline, answers.home)
    plays = await listed(answers, question, lists.time)
    return {
        ids.ANALYSIS_NOTE: {"children": _note(lists)},
        ids.ANALYSIS_TIME: {"children": lists.time.words},
        **await asyncio.to_thread(_shown, lists),
        ids.LISTED_TABLE: {"children": tables.listed_table(plays)},
        ids.OFFLINE: {"children": offline.body(reports)},
    }


async def chosen_lists(answers: Answers, question: Question, now: datetime) -> Lists:
    """Return what became of the lists that are asked for.

    Raises
    ------
    RefusedError
        When none was ever shown.
    """
    time = await answers.served.range_of(question.wish, now)
    if time is None:
        raise nothing("No list was shown yet, or the stream has not counted it.")
    found = await answers.served.read(time)
    return found.chosen(question.get("surface"), question.get("model"))


async def listed(
    answers: Answers, question: Question, time: TimeRange
) -> dict[str, tuple[int, int]]:
    """Return plays, and those of them from lists, by key of the surface.

    Those of most plays from lists come first.

    Of a model they are not told: they are those of all.
    """
    counted: dict[str, tuple[int, int]] = {}
    for span in await answers.spans.read(time, Kind.SURFACE, _LISTED):
        cells = span.cells
        rows = zip(cells.n_plays, cells.columns["n_listed"], strict=True)
        for key, row in zip(cells.keys or (), rows, strict=True):
            name = key.decode("utf-8", "replace")
            if question.get("surface") in ("", name):
                n, n_listed = counted.get(name, (0, 0))
                counted[name] = (n + int(row[0]), n_listed + int(row[1]))
    return dict(sorted(counted.items(), key=lambda each: (-each[1][1], -each[1][0])))


async def file(
    answers: Answers, question: Question, now: datetime, *, name: str
) -> Table:
    """Return one of `FILES`."""
    lists = await chosen_lists(answers, question, now)
    if name == "listed":
        plays = await listed(answers, question, lists.time)
        return {
            "surface": [*plays],
            "n_plays": [n for n, _ in plays.values()],
            "n_listed": [n for _, n in plays.values()],
        }
    return await asyncio.to_thread(FILES[name], lists)


def _by_span(lists: Lists) -> Table:
    found = lists.by(lambda span: span.start)
    counts = {name: [each[name] for each in found.values()] for name in COUNTS}
    return {
        "start": [*found],
        **counts,
        "novelty_bits": [each.novelty_bits for each in found.values()],
        "n_tracks": [each.n_tracks for each in found.values()],
    }


def _by_rank(lists: Lists) -> Table:
    return _of_rows("rank", tables.ranks_of(lists.total))


def _by_part(lists: Lists) -> Table:
    return _of_rows("part", tables.parts_of(lists.total))


def _by_model(lists: Lists) -> Table:
    found = _models(lists)
    counts = {name: [each[name] for each in found.values()] for name in COUNTS}
    return {
        "model": [*found],
        **counts,
        "novelty_bits": [each.novelty_bits for each in found.values()],
        "n_tracks": [each.n_tracks for each in found.values()],
        "n_catalogue": [each.n_catalogue for each in found.values()],
    }


FILES: Final[Mapping[str, Any]] = {
    "served": _by_span,
    "ranks": _by_rank,
    "parts": _by_part,
    "versions": _by_model,
    "listed": None,
}
"""Tables that can be had as files, by name."""


def _of_rows(name: str, rows: Sequence[tuple[Any, Counts]]) -> Table:
    counts = {
        column: [int(each[place]) for _, each in rows]
        for place, column in enumerate(OF_ROWS)
    }
    return {name: [key for key, _ in rows], **counts}


def _shown(lists: Lists) -> dict[str, dict[str, Any]]:
    total, rows_by = lists.total, lists.rows_by_start()
    starts, drawn = lists.time.starts, quality_figures
    over_time = tables.rates_by(rows_by.get(at, no_rows()) for at in starts)
    ranks, parts = tables.ranks_of(total), tables.parts_of(total)
    rank_rates = tables.rates_by(each for _, each in ranks)
    part_rates = tables.rates_by(each for _, each in parts)
    time_figure = drawn.over_time_figure(lists.time.level, starts, over_time)
    rank_figure = drawn.ranks_figure([rank for rank, _ in ranks], rank_rates)
    part_figure = drawn.parts_figure([part for part, _ in parts], part_rates)
    funnel = drawn.funnel_figure(tables.funnel_steps(total))
    return {
        ids.QUALITY_TILES: {"children": tables.tiles(total)},
        ids.FUNNEL_FIGURE: {"figure": funnel},
        ids.FUNNEL_TABLE: {"children": tables.funnel_table(total)},
        ids.SERVED_FIGURE: {"figure": time_figure},
        ids.SERVED_TABLE: {"children": tables.time_table(starts, rows_by)},
        ids.RANKS_FIGURE: {"figure": rank_figure},
        ids.RANKS_TABLE: {"children": tables.ranks_table(total)},
        ids.PARTS_FIGURE: {"figure": part_figure},
        ids.PARTS_TABLE: {"children": tables.parts_table(total)},
        ids.VERSIONS_TABLE: {"children": tables.versions_table(_models(lists))},
    }


def _models(lists: Lists) -> dict[str, Served]:
    """Return the sums by model, the one that was served last first."""
    found = lists.by(lambda span: span.model)
    last = {span.model: place for place, span in enumerate(lists.spans)}
    return dict(sorted(found.items(), key=lambda each: -last[each[0]]))


def _note(lists: Lists) -> str:
    said = []
    if not lists.spans:
        said.append("No list that fits was shown in this time.")
    if lists.n_damaged:
        said.append(
            f"{lists.n_damaged} of the documents of this time cannot be read, and are "
            "not counted."
        )
    return " ".join(said)
