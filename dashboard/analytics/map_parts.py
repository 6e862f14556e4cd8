"""What stands beside the taste map: its colours, the chosen tracks, and movement."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from urllib.parse import quote

from dash import html

from dashboard.analytics.map_choice import COLOURINGS, MOST_LISTED
from dashboard.analytics.map_figures import Category
from dashboard.analytics.map_movement import Moving, Place, held
from dashboard.analytics.map_points import MapPoints
from dashboard.analytics.names import Named
from dashboard.analytics.parts import NONE, scrolled, table
from dashboard.analytics.questions import Question
from dashboard.dates import day
from dashboard.marks import marks

_HOW_TO_CHOOSE = (
    "Draw around points with the mouse, or choose by style, cluster or rectangle "
    "above, without one. A click on a point chooses it alone."
)


def legend(
    path: str, question: Question, colouring: str, categories: Sequence[Category]
) -> html.Table:
    """Return the colours as a table, of which each label is the way to choose it."""
    head = COLOURINGS[colouring]
    rows = [
        (_label(path, question, colouring, each), f"{len(each.points):,}")
        for each in categories
    ]
    return table(f"Tracks by {head.lower()}", (head, "Tracks"), rows)


def chosen_block(
    points: MapPoints,
    layer: str,
    listed: Sequence[int],
    n_chosen: int,
    names: Mapping[str, Named],
) -> list[Any]:
    """Return the tracks that are chosen, with the button that makes a playlist.

    Parameters
    ----------
    listed : sequence of int
        Points, as they are listed.
    """
    if not listed:
        return [html.P("No track of the map fits what is chosen.", className="note")]
    said = f"{_tracks(n_chosen)} chosen"
    if n_chosen > len(listed):
        said += f"; listed are the {len(listed):,} nearest to the middle of them"
    rows = [_row(points, layer, point, names) for point in listed]
    heads = ("Track", "Style", "Cluster", "Across", "Up")
    return [
        html.P(f"{said}.", className="facts"),
        html.Button(
            f"Make a playlist of {_these(len(listed))}",
            type="button",
            className="main-button",
            **marks(data_do="map-playlist"),
        ),
        scrolled("map-tracks", "Chosen tracks", table("Chosen tracks", heads, rows)),
    ]


def nothing_chosen() -> list[Any]:
    """Return what is said where nothing is chosen."""
    say = f"{_HOW_TO_CHOOSE} Up to {MOST_LISTED} of them are listed here."
    return [html.P(say, className="facts")]


def movement_table(moving: Sequence[Moving], dates: Sequence[date]) -> html.Table:
    """Return where each was first and last, and how far that is."""
    rows = [_moved(each, dates) for each in moving]
    heads = ("Who", "Listeners on a date", "First, across and up", "Last", "Apart")
    caption = f"From {day(dates[0])} to {day(dates[-1])}"
    return table(caption, heads, rows)


def _moved(moving: Moving, dates: Sequence[date]) -> Sequence[str]:
    there = [place for place in held(moving, dates) if place is not None]
    if not there:
        return moving.name, NONE, NONE, NONE, NONE
    counts = [moving.n_heard[each] for each in dates if each in moving.n_heard]
    least, most = min(counts), max(counts)
    listeners = f"{least:,}" if least == most else f"{least:,} to {most:,}"
    (x, y), (last_x, last_y) = there[0], there[-1]
    apart = ((x - last_x) ** 2 + (y - last_y) ** 2) ** 0.5
    ends = _place(there[0]), _place(there[-1])
    return moving.name, listeners, *ends, f"{apart:,.0f}"


def _place(place: Place) -> str:
    return f"{place[0]:,.0f}, {place[1]:,.0f}"


def _label(
    path: str, question: Question, colouring: str, category: Category
) -> html.Span:
    dot = html.Span(className="dot", style={"background": category.colour})
    if not category.key:
        return html.Span([dot, category.name], className="map-label")
    href = question.href(path, **{colouring: category.key})
    return html.Span(
        [dot, html.A(category.name, href=href, className="way")], className="map-label"
    )


def _row(
    points: MapPoints, layer: str, point: int, names: Mapping[str, Named]
) -> Sequence[Any]:
    key = points.track_ids[point]
    named, (x, y) = names[key], points.places[layer][point].tolist()
    href = f"/track/{quote(key, safe='')}"
    way = html.A(named.name, href=href, className="way", **marks(data_map_track=key))
    return (
        html.Span([way, html.Span(named.note)], className="named"),
        points.styles.name_of(point) or NONE,
        points.clusters.name_of(point),
        f"{x:,}",
        f"{y:,}",
    )


def _tracks(n: int) -> str:
    return "1 track is" if n == 1 else f"{n:,} tracks are"


def _these(n: int) -> str:
    return "this track" if n == 1 else f"these {n:,} tracks"
