"""Plain view records in, Plotly figures out."""

from collections.abc import Sequence
from html import escape
from typing import Any, Final

from dashboard.records import QueryHealth
from dashboard.theme import COLOURS, PHASES

CONFIG: Final[Any] = {"displayModeBar": False, "responsive": True}
LINE_DASHES: Final = ("solid", "dash", "dot")
"""Lines of one kind differ by more than their colours."""
_SILENCE: Final = "No query has told of a micro-batch yet."
_FONT: Final = "system-ui, sans-serif"


def batch_figure(queries: Sequence[QueryHealth]) -> dict[str, Any]:
    """Draw how the last micro-batch of each query spent its time, by phase.

    It is written as Plotly reads it, as the figures in `analytics/figures.py`.
    """
    phases = sorted({phase for query in queries for phase in query.phases_ms})
    names = [query.name for query in queries]
    bars = [
        {
            "type": "bar",
            "y": names,
            "x": [query.phases_ms.get(phase, 0) for query in queries],
            "name": phase,
            "orientation": "h",
            "marker": {"color": PHASES[at % len(PHASES)]},
            "hovertemplate": f"{phase}: %{{x}} ms<extra>%{{y}}</extra>",
        }
        for at, phase in enumerate(phases)
    ]
    ours = layout()
    if not phases:
        return {"data": [], "layout": {**ours, **in_words(_SILENCE)}}
    axes = {
        "xaxis": ours["xaxis"]
        | {"ticksuffix": " ms", "rangemode": "tozero", "nticks": 6},
        "yaxis": ours["yaxis"] | {"ticksuffix": "  ", "autorange": "reversed"},
    }
    return {
        "data": bars,
        "layout": {**ours, **axes, "barmode": "stack", "bargap": 0.45},
    }


def as_said(name: str) -> str:
    """Return a name as it is to be drawn: Plotly reads texts as a little HTML.

    Examples
    --------
    >>> as_said("Guns & <b>")
    'Guns &amp; &lt;b&gt;'
    """
    return escape(name, quote=False)


def in_words(text: str) -> dict[str, Any]:
    """Return what a figure that has nothing to draw looks like."""
    said = {"text": text, "showarrow": False, "x": 0.5, "y": 0.5}
    place = {"xref": "paper", "yref": "paper"}
    nothing = {"visible": False, "fixedrange": True}
    return {"annotations": [said | place], "xaxis": nothing, "yaxis": nothing}


def layout() -> dict[str, Any]:
    """Return what all figures look like."""
    # `assets/analytics.css` puts the colours of the reader's theme in their places
    axis = {
        "gridcolor": COLOURS["line"],
        "zerolinecolor": COLOURS["line"],
        "fixedrange": True,
        # words that are longer than the margin are not cut off
        "automargin": True,
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
