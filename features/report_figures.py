"""The numbers of a report in, Plotly figures out.

Plotly reads texts as a little HTML, so titles and folders are escaped on their way in.
"""

import html
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

import plotly.graph_objects as go

from features.catalogue_map import CatalogueMap
from features.drift import Drift
from features.health import Audio
from features.retrieval import HubReport, Retrieval
from segue.audio_reports import LARGE_SHIFT
from segue.palette import COLOURS

FOLDER_COLOURS: Final = (
    *("#ffb347", "#6fc3ff", "#62d69b", "#c4a7ff", "#ff8fab", "#ffe08a"),
    *("#3fd0c9", "#ff7a5c", "#a9d94f", "#8f9bff", "#e77fe0", "#c99b6d"),
)
"""Of the largest folders, in turn."""

OTHER_FOLDERS: Final = "#555b70"

_WAY_COLOURS: Final = (COLOURS["muted"], COLOURS["cool"], COLOURS["accent"])
_FONT: Final = "system-ui, sans-serif"
_MINUTE_S: Final = 60


def retrieval_figure(retrieval: Retrieval) -> go.Figure:
    """Draw precision with its intervals, the first and the first five neighbours."""
    names = [way.way for way in retrieval.ways]
    at_1 = [way.at_1 for way in retrieval.ways]
    at_5 = [way.at_5 for way in retrieval.ways]
    figure = go.Figure(
        [
            _dots(names, at_5, "first five", COLOURS["cool"]),
            _dots(names, at_1, "first", COLOURS["accent"]),
        ]
    )
    figure.update_layout(**_layout(height=250, left=210), scattermode="group")
    figure.update_layout(legend={"traceorder": "reversed"}, scattergap=0.5)
    figure.update_xaxes(tickformat=".0%", rangemode="tozero")
    figure.update_yaxes(autorange="reversed", ticksuffix="  ")
    _mark(figure, retrieval.chance_at_1, "chance")
    return figure


def hub_figure(hubs: HubReport) -> go.Figure:
    """Draw in how many lists tracks stand, from the largest hub to the orphans."""
    figure = go.Figure(
        [
            go.Scatter(
                x=[rank for rank, _ in way.curve],
                y=[n_lists for _, n_lists in way.curve],
                name=way.way,
                mode="lines",
                line={"color": colour, "width": 2},
                hovertemplate="track %{x}: in %{y} lists<extra></extra>",
            )
            for way, colour in zip(hubs.ways, _WAY_COLOURS, strict=True)
        ]
    )
    figure.update_layout(**_layout(height=300))
    figure.update_xaxes(
        type="log", title_text="track, most often listed first", dtick=1
    )
    figure.update_yaxes(rangemode="tozero", title_text="in so many lists")
    figure.add_hline(hubs.k, line={"color": COLOURS["good"], "dash": "dot", "width": 1})
    return figure


def drift_figure(drift: Drift) -> go.Figure:
    """Draw how far each block of the newest batch has moved."""
    far = [shift >= LARGE_SHIFT for _, shift in drift.shifts]
    figure = go.Figure(
        go.Bar(
            x=[shift for _, shift in drift.shifts],
            y=[name for name, _ in drift.shifts],
            orientation="h",
            marker={"color": [COLOURS["warn" if each else "cool"] for each in far]},
            hovertemplate="%{y}: %{x:.2f} deviations<extra></extra>",
        )
    )
    figure.update_layout(**_layout(height=320, left=120), bargap=0.35)
    figure.update_xaxes(rangemode="tozero", title_text="deviations")
    figure.update_yaxes(autorange="reversed", ticksuffix="  ")
    _mark(figure, LARGE_SHIFT, "large")
    return figure


def duration_figure(audio: Audio) -> go.Figure:
    """Draw how many tracks there are of each class of duration."""
    names = duration_names([edge_s for edge_s, _ in audio.durations])
    figure = go.Figure(
        go.Bar(
            x=names,
            y=[n_tracks for _, n_tracks in audio.durations],
            marker={"color": COLOURS["accent"]},
            hovertemplate="%{x}: %{y} tracks<extra></extra>",
        )
    )
    figure.update_layout(**_layout(height=240), bargap=0.2)
    figure.update_yaxes(rangemode="tozero")
    return figure


def map_figure(catalogue: CatalogueMap) -> go.Figure:
    """Draw the tracks as dots, those of the largest folders in colour."""
    largest = [folder for folder, _ in catalogue.largest]
    colour_of = dict(zip(largest, FOLDER_COLOURS, strict=False))
    figure = go.Figure()
    for folder in [None, *largest]:
        rows = [
            row
            for row, own in enumerate(catalogue.folders)
            if (own if own in colour_of else None) == folder
        ]
        colour = OTHER_FOLDERS if folder is None else colour_of[folder]
        figure.add_trace(_points(catalogue, rows, colour))
    figure.update_layout(**_layout(height=620), showlegend=False, dragmode="pan")
    figure.update_layout(margin={"l": 8, "r": 8, "t": 8, "b": 8})
    figure.update_xaxes(visible=False, fixedrange=False)
    figure.update_yaxes(visible=False, fixedrange=False, scaleanchor="x")
    return figure


def duration_names(edges_s: Sequence[int]) -> list[str]:
    """Return the names of classes of duration from their lower edges.

    Examples
    --------
    >>> duration_names([0, 30, 60, 120])
    ['under 30 s', '30-60 s', '1-2 min', 'over 2 min']
    """
    names = [f"under {_length(edges_s[1])}"]
    for low, high in pairwise(edges_s[1:]):
        if high <= _MINUTE_S:
            names.append(f"{low}-{high} s")
        else:
            names.append(f"{low // _MINUTE_S}-{high // _MINUTE_S} min")
    return [*names, f"over {_length(edges_s[-1])}"]


def _length(seconds: int) -> str:
    return f"{seconds} s" if seconds < _MINUTE_S else f"{seconds // _MINUTE_S} min"


def _points(catalogue: CatalogueMap, rows: list[int], colour: str) -> go.Scatter:
    texts = [
        [html.escape(catalogue.titles[row]), html.escape(catalogue.folders[row])]
        for row in rows
    ]
    return go.Scatter(
        x=catalogue.places[rows, 0].round(3).tolist(),
        y=catalogue.places[rows, 1].round(3).tolist(),
        mode="markers",
        marker={"color": colour, "size": 7, "opacity": 0.85},
        customdata=texts,
        hovertemplate="<b>%{customdata[0]}</b><br>%{customdata[1]}<extra></extra>",
    )


def _dots(names: list[str], estimates: list[Any], name: str, colour: str) -> go.Scatter:
    return go.Scatter(
        x=[each.mean for each in estimates],
        y=names,
        name=name,
        mode="markers",
        marker={"color": colour, "size": 11},
        error_x={
            "array": [each.high - each.mean for each in estimates],
            "arrayminus": [each.mean - each.low for each in estimates],
            "thickness": 2,
            "width": 5,
        },
        hovertemplate=f"{name}: %{{x:.1%}}<extra>%{{y}}</extra>",
    )


def _mark(figure: go.Figure, at: float, text: str) -> None:
    figure.add_vline(
        at,
        line={"color": COLOURS["muted"], "dash": "dot", "width": 1},
        annotation={"text": text, "font": {"color": COLOURS["muted"]}},
        annotation_position="top",
    )


def _layout(height: int, left: int = 64) -> dict[str, Any]:
    axis = {
        "gridcolor": COLOURS["line"],
        "zeroline": False,
        "fixedrange": True,
        "automargin": True,
        "title": {"font": {"size": 13}},
    }
    return {
        "template": "none",
        "height": height,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": _FONT, "size": 13, "color": COLOURS["muted"]},
        "margin": {"l": left, "r": 16, "t": 36, "b": 44},
        "legend": {
            "orientation": "h",
            "x": 1,
            "xanchor": "right",
            "y": 1.04,
            "yanchor": "bottom",
        },
        "hoverlabel": {
            "bgcolor": COLOURS["raised"],
            "bordercolor": COLOURS["line"],
            "font": {"color": COLOURS["text"]},
        },
        "xaxis": axis,
        "yaxis": axis,
    }
