"""Plain view records in, Plotly figures out."""

from collections.abc import Sequence
from typing import Any, Final

import plotly.graph_objects as go

from dashboard.records import MinuteOfPlays, QueryHealth
from dashboard.theme import COLOURS, PHASES

CONFIG: Final[Any] = {"displayModeBar": False, "responsive": True}
_FONT: Final = "system-ui, sans-serif"


def plays_figure(minutes: Sequence[MinuteOfPlays]) -> go.Figure:
    """Draw plays per minute, split into those heard and those skipped."""
    at = [minute.minute for minute in minutes]
    heard = [max(0, minute.n_plays - minute.n_skips) for minute in minutes]
    skipped = [minute.n_skips for minute in minutes]
    figure = go.Figure(
        [
            _bars(at, heard, "heard", COLOURS["accent"]),
            _bars(at, skipped, "skipped", COLOURS["cool"]),
        ]
    )
    figure.update_layout(**_layout(), barmode="stack", bargap=0.25)
    figure.update_xaxes(tickformat="%H:%M", nticks=7)
    figure.update_yaxes(rangemode="tozero", nticks=5)
    return figure


def batch_figure(queries: Sequence[QueryHealth]) -> go.Figure:
    """Draw how the last micro-batch of each query spent its time, by phase."""
    phases = sorted({phase for query in queries for phase in query.phases_ms})
    names = [query.name for query in queries]
    figure = go.Figure(
        [
            go.Bar(
                y=names,
                x=[query.phases_ms.get(phase, 0) for query in queries],
                name=phase,
                orientation="h",
                marker={"color": PHASES[at % len(PHASES)]},
                hovertemplate=f"{phase}: %{{x}} ms<extra>%{{y}}</extra>",
            )
            for at, phase in enumerate(phases)
        ]
    )
    figure.update_layout(**_layout(), barmode="stack", bargap=0.45)
    figure.update_xaxes(ticksuffix=" ms", rangemode="tozero", nticks=6)
    figure.update_yaxes(ticksuffix="  ", autorange="reversed")
    return figure


def _bars(at: Sequence[Any], counts: Sequence[int], name: str, colour: str) -> go.Bar:
    return go.Bar(
        x=at,
        y=counts,
        name=name,
        marker={"color": colour},
        hovertemplate=f"%{{x|%H:%M}}: %{{y}} {name}<extra></extra>",
    )


def _layout() -> dict[str, Any]:
    axis = {
        "gridcolor": COLOURS["line"],
        "zerolinecolor": COLOURS["line"],
        "fixedrange": True,
    }
    return {
        "template": "none",
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": _FONT, "size": 12, "color": COLOURS["muted"]},
        "margin": {"l": 56, "r": 8, "t": 8, "b": 32},
        "legend": {
            "orientation": "h",
            "y": 1.02,
            "yanchor": "bottom",
            "x": 0,
            "traceorder": "normal",
        },
        "hoverlabel": {
            "bgcolor": COLOURS["raised"],
            "bordercolor": COLOURS["line"],
            "font": {"color": COLOURS["text"]},
        },
        "xaxis": axis,
        "yaxis": axis,
        "uirevision": "stays",
    }
