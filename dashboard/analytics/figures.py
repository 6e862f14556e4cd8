"""Figures of the analysts' pages: plain data in, Plotly figures out.

They are written as Plotly reads them: some hundred spans four times a second are too
many for the checks and copies of `plotly.graph_objects`. Tests make those checks.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from dashboard.figures import layout
from dashboard.theme import FIGURE_COLOURS
from segue.activity import Level

Figure = dict[str, Any]
_ENDS: Final = (
    ("n_completed", "completed", "heard"),
    ("n_left", "left", "left"),
    ("n_skipped", "skipped", "skipped"),
)
"""Column, its name, and its colour."""
_TICKS: Final = {
    Level.MINUTE: "%H:%M",
    Level.HOUR: "%-d %b %H:%M",
    Level.DAY: "%-d %b",
    Level.MONTH: "%b %Y",
}


def plays_figure(
    level: Level, starts: Sequence[datetime], by_span: Mapping[str, Sequence[int]]
) -> Figure:
    """Draw plays by span, by how they ended, and how many were started."""
    ticks, at = _TICKS[level], list(starts)
    bars = [
        {
            "type": "bar",
            "x": at,
            "y": list(by_span.get(column, ())),
            "name": name,
            "marker": {"color": FIGURE_COLOURS[colour]},
            "hovertemplate": f"%{{x|{ticks}}}: %{{y}} {name}<extra></extra>",
        }
        for column, name, colour in _ENDS
    ]
    started = {
        "type": "scatter",
        "x": at,
        "y": list(by_span.get("n_started", ())),
        "name": "started",
        "mode": "lines",
        "line": {"color": FIGURE_COLOURS["started"], "width": 2},
        "hovertemplate": f"%{{x|{ticks}}}: %{{y}} started<extra></extra>",
    }
    return _figure(
        [*bars, started],
        {"tickformat": ticks, "nticks": 6},
        {"rangemode": "tozero", "nticks": 5},
        barmode="stack",
        bargap=0.15,
    )


def retention_figure(shares: Sequence[float], labels: Sequence[str]) -> Figure:
    """Draw which share still listens at each position."""
    line = {
        "type": "scatter",
        "x": list(labels),
        "y": list(shares),
        "mode": "lines+markers",
        "line": {"color": FIGURE_COLOURS["heard"], "width": 2},
        "fill": "tozeroy",
        "hovertemplate": "%{x}: %{y:.0%} still listen<extra></extra>",
    }
    return _figure(
        [line],
        {"type": "category", "nticks": 8},
        {"tickformat": ".0%", "range": [0, 1.02], "nticks": 5},
        showlegend=False,
    )


def skips_figure(counts: Sequence[int], labels: Sequence[str]) -> Figure:
    """Draw how many skips were at each position."""
    bars = {
        "type": "bar",
        "x": list(labels),
        "y": list(counts),
        "marker": {"color": FIGURE_COLOURS["skipped"]},
        "hovertemplate": "%{x}: %{y} skips<extra></extra>",
    }
    return _figure(
        [bars],
        {"type": "category", "nticks": 8},
        {"rangemode": "tozero", "nticks": 5},
        showlegend=False,
        bargap=0.15,
    )


def _figure(
    data: Sequence[Figure], xaxis: Figure, yaxis: Figure, **more: object
) -> Figure:
    ours = layout()
    axes = {"xaxis": ours["xaxis"] | xaxis, "yaxis": ours["yaxis"] | yaxis}
    return {"data": list(data), "layout": {**ours, **axes, **more}}
