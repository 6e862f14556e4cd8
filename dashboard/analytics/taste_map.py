"""Taste map: the catalogue in two dimensions, and how tastes move in it."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any, Final

import numpy as np
from dash import dcc, html
from numpy.typing import NDArray

from dashboard import ids
from dashboard.analytics import controls, sums
from dashboard.analytics.answers import Answers
from dashboard.analytics.map_choice import (
    FILTERS,
    MOST_LISTED,
    chosen_of,
    colouring_of,
    layer_of,
    nearest_first,
)
from dashboard.analytics.map_controls import PATH
from dashboard.analytics.map_figures import (
    Category,
    Figure,
    by_label,
    by_plays,
    frame_figure,
    map_figure,
)
from dashboard.analytics.map_parts import chosen_block, legend, nothing_chosen
from dashboard.analytics.map_points import PCA, MapPoints
from dashboard.analytics.parts import panel, scrolled
from dashboard.analytics.questions import Question, address
from dashboard.analytics.tables import Table
from dashboard.marks import marks
from segue import store
from segue.activity import Kind

PRESET: Final = "30d"
SHOWS: Final = frozenset({store.CATALOGUE})
FIGURE_PATH: Final = f"{controls.DOWNLOADS_PATH}/map/figure"
_CONFIG: Final[Any] = {
    "responsive": True,
    "displaylogo": False,
    "modeBarButtons": [
        ["lasso2d", "select2d", "pan2d", "zoomIn2d", "zoomOut2d", "resetScale2d"]
    ],
    "displayModeBar": True,
}


@dataclass(frozen=True, eq=False)
class Looked:
    """What of the map is looked at.

    Attributes
    ----------
    plays : int64 array of shape (n_points,), optional
        In the time that is asked for; None where they are not shown.
    chosen : bool array of shape (n_points,), optional
        None where the address chooses nothing.
    """

    points: MapPoints
    layer: str
    colouring: str
    plays: NDArray[np.int64] | None
    chosen: NDArray[np.bool_] | None

    @property
    def categories(self) -> list[Category]:
        """The points by colour."""
        if self.plays is not None:
            return by_plays(self.plays)
        points = self.points
        return {
            "style": lambda: by_label(points.styles, "other styles"),
            "artist": lambda: by_label(points.artists, "other artists"),
            "cluster": lambda: by_label(points.clusters, "other clusters"),
        }[self.colouring]()

    @property
    def figure(self) -> Figure:
        """The points as a Plotly figure."""
        places = self.points.places[self.layer]
        return map_figure(places, self.categories, self.chosen)


def body() -> list[Any]:
    """Return the parts of the page; `browser/pages/map.js` draws the points."""
    return [
        html.P(id=ids.MAP_FACTS, className="facts"),
        html.Div(
            [
                panel(
                    "The catalogue",
                    [_map(), html.P(id="map-pointed", className="facts")],
                ),
                panel(
                    "Colours",
                    [scrolled(ids.MAP_LEGEND, "Colours of the map")],
                    "narrow",
                ),
                panel(
                    "How tastes move",
                    [
                        html.P(id="map-moving", role="status"),
                        html.Div(id="map-movement"),
                        html.Div(id=ids.MAP_FILES),
                    ],
                ),
            ],
            className="panels",
        ),
        panel("Chosen tracks", [html.Div(id="map-chosen")]),
        html.Div(id=ids.MAP_SOURCE, hidden=True),
    ]


def _map() -> html.Div:
    figure = dcc.Graph(
        id=ids.MAP_FIGURE,
        figure=frame_figure(),
        config=_CONFIG,
        style={"height": "100%"},
    )
    points = html.Div(id="map-points", **marks(aria_hidden="true"))
    rings = html.Div(id="map-rings", **marks(aria_hidden="true"))
    silent = html.P(id="map-silent", className="note", role="status")
    return html.Div([html.Div([points, figure, rings], className="map"), silent])


async def read(
    answers: Answers, question: Question, now: datetime
) -> dict[str, dict[str, Any]]:
    """Return what the page shows."""
    looked = await look(answers, question, now)
    time = await answers.spans.range_of(question.wish, now)
    said = "" if time is None else f"Plays and movement: {time.words}"
    points, categories = looked.points, looked.categories
    of_all = question.about(**dict.fromkeys(FILTERS, ""))
    table = legend(PATH, question, looked.colouring, categories)
    return {
        ids.ANALYSIS_NOTE: {"children": notes(points)},
        ids.ANALYSIS_TIME: {"children": said},
        ids.MAP_FACTS: {"children": facts(points, looked.layer)},
        ids.MAP_LEGEND: {"children": table},
        ids.MAP_FILES: {"children": controls.downloads(of_all, "movement")},
        ids.MAP_SOURCE: {
            "data-figure": _source(looked, question),
            "data-version": points.version,
        },
    }


async def look(answers: Answers, question: Question, now: datetime) -> Looked:
    """Return what is looked at.

    Raises
    ------
    RefusedError
        Where there is no map, or the question cannot be understood.
    """
    colouring = colouring_of(question)
    points = await answers.maps.read()
    layer, chosen = layer_of(question, points), chosen_of(question, points)
    is_asked = colouring == "plays"
    plays = await plays_of(answers, question, points, now) if is_asked else None
    return Looked(points, layer, colouring, plays, chosen)


async def plays_of(
    answers: Answers, question: Question, points: MapPoints, now: datetime
) -> NDArray[np.int64]:
    """Return the plays of each point in the time that is asked for."""
    time = await answers.spans.range_of(question.wish, now)
    if time is None:
        return np.zeros(len(points), np.int64)
    cells = await answers.summed(await answers.spans.read(time, Kind.TRACK))
    return await asyncio.to_thread(sums.plays_at, cells, points.codes)


async def listed(
    answers: Answers, points: MapPoints, layer: str, chosen: NDArray[np.intp]
) -> list[Any]:
    """Return some points as a table, those first that are nearest to their middle."""
    order = nearest_first(chosen, points.places[layer])[:MOST_LISTED]
    keys = [points.track_ids[point] for point in order]
    names = await answers.names.of(Kind.TRACK, keys)
    return chosen_block(points, layer, order, len(chosen), names)


async def file(answers: Answers, question: Question, now: datetime) -> Table:
    """Return the points, or those that are chosen, as a table for a file."""
    looked = await look(answers, question, now)
    points = looked.points
    plays = await plays_of(answers, question, points, now)
    is_chosen = np.ones(len(points), bool) if looked.chosen is None else looked.chosen
    rows: list[int] = np.flatnonzero(is_chosen).tolist()
    places = points.places[looked.layer][rows]
    labels = {
        "style": points.styles,
        "artist": points.artists,
        "cluster_name": points.clusters,
    }
    return {
        "track_id": [points.track_ids[row] for row in rows],
        "across": places[:, 0].tolist(),
        "up": places[:, 1].tolist(),
        "cluster": (points.clusters.numbers[rows] + 1).tolist(),
        **{name: [each.name_of(row) for row in rows] for name, each in labels.items()},
        "n_plays": plays[rows].tolist(),
    }


def notes(points: MapPoints) -> str:
    """Return what the map does not show."""
    said = []
    if points.n_unplaced is None:
        n = len(points.placed.track_ids)
        said.append(f"Of {n:,} tracks {len(points):,} are shown, evenly chosen.")
    elif points.n_unplaced:
        said.append(
            f"{points.n_unplaced:,} tracks of the library have no place yet: they were "
            "not analysed, or not since they changed."
        )
    if points.n_gone:
        said.append(f"{points.n_gone:,} analysed tracks are no longer in the library.")
    return " ".join(said)


def facts(points: MapPoints, layer: str) -> str:
    """Return what the places mean."""
    said = f"{len(points):,} tracks; those that sound alike lie together."
    if layer == PCA:
        share = f"{100 * points.placed.shown_share:.0f} %"
        return (
            f"{said} The two directions in which tracks differ most show {share} of "
            "what distinguishes them."
        )
    return f"{said} How far groups lie apart says little in this layer."


async def chosen_listed(answers: Answers, looked: Looked) -> list[Any]:
    """Return what the address chooses as a table, or how to choose."""
    if looked.chosen is None:
        return nothing_chosen()
    rows = np.flatnonzero(looked.chosen)
    return await listed(answers, looked.points, looked.layer, rows)


def _source(looked: Looked, question: Question) -> str:
    """Return where the figure is; another address whenever it has changed."""
    stamp = blake2b(digest_size=4)
    stamp.update(looked.points.version.encode())
    if looked.plays is not None:
        stamp.update(looked.plays.tobytes())
    way = address(FIGURE_PATH, question.told)
    return f"{way}{'&' if '?' in way else '?'}v={stamp.hexdigest()}"
