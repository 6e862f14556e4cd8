"""Figures of the recommendations: plain data in, Plotly figures out."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from dashboard.analytics.figures import Figure
from dashboard.figures import layout
from dashboard.theme import FIGURE_COLOURS
from segue.activity import Level

Shares = Sequence[float | None]
_RATES: Final = (
    ("played", "started"),
    ("completed", "heard"),
    ("skipped", "skipped"),
)
"""Name and colour of shares: `played` of what was shown, the others of that."""
_TICKS: Final = {Level.HOUR: "%-d %b %H:%M", Level.DAY: "%-d %b", Level.MONTH: "%b %Y"}
_SHARE_AXIS: Final[Mapping[str, Any]] = {
    "tickformat": ".0%",
    "rangemode": "tozero",
    "nticks": 5,
}


def funnel_figure(steps: Sequence[tuple[str, int]]) -> Figure:
    """Draw how many rows came how far: each step with its share of the one before."""
    names, counts = [name for name, _ in steps], [n for _, n in steps]
    bars = {
        "type": "bar",
        "orientation": "h",
        "y": names,
        "x": counts,
        "marker": {"color": FIGURE_COLOURS["heard"]},
        "hovertemplate": "%{y}: %{x:,} rows<extra></extra>",
    }
    return _figure(
        [bars],
        {"rangemode": "tozero", "nticks": 5},
        {"type": "category", "autorange": "reversed", "ticksuffix": "  "},
        showlegend=False,
        bargap=0.35,
        margin={"l": 90, "r": 8, "t": 8, "b": 32},
    )


def over_time_figure(
    level: Level, starts: Sequence[datetime], rates: Mapping[str, Shares]
) -> Figure:
    """Draw the shares by when a list was shown; there are none where none was shown."""
    ticks = _TICKS[level]
    return _figure(
        [_line(list(starts), rates, each, f"%{{x|{ticks}}}") for each in _RATES],
        {"tickformat": ticks, "nticks": 6},
        _SHARE_AXIS,
    )


def ranks_figure(ranks: Sequence[int], rates: Mapping[str, Shares]) -> Figure:
    """Draw the shares by the rank of a row."""
    return _figure(
        [_line(list(ranks), rates, each, "rank %{x}") for each in _RATES],
        {"nticks": 10, "rangemode": "tozero"},
        _SHARE_AXIS,
    )


def parts_figure(parts: Sequence[str], rates: Mapping[str, Shares]) -> Figure:
    """Draw the shares by the part that speaks most for a row."""
    bars = [
        {
            "type": "bar",
            "x": list(parts),
            "y": list(rates.get(name, ())),
            "name": name,
            "marker": {"color": FIGURE_COLOURS[colour]},
            "hovertemplate": f"%{{x}}: %{{y:.1%}} {name}<extra></extra>",
        }
        for name, colour in _RATES
    ]
    return _figure(bars, {"type": "category"}, _SHARE_AXIS, barmode="group")


def _line(
    at: Sequence[Any],
    rates: Mapping[str, Shares],
    rate: tuple[str, str],
    where: str,
) -> Figure:
    name, colour = rate
    return {
        "type": "scatter",
        "x": at,
        "y": list(rates.get(name, ())),
        "name": name,
        "mode": "lines+markers",
        "line": {"color": FIGURE_COLOURS[colour], "width": 2},
        "marker": {"size": 4},
        "hovertemplate": f"{where}: %{{y:.1%}} {name}<extra></extra>",
    }


def _figure(
    data: Sequence[Figure],
    xaxis: Mapping[str, Any],
    yaxis: Mapping[str, Any],
    **more: Any,
) -> Figure:
    ours = layout()
    axes = {"xaxis": {**ours["xaxis"], **xaxis}, "yaxis": {**ours["yaxis"], **yaxis}}
    return {"data": list(data), "layout": {**ours, **axes, **more}}
