"""Figures of the page of listeners: plain data in, Plotly figures out."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from dashboard.analytics.figures import Figure
from dashboard.figures import LINE_DASHES, as_said, in_words, layout
from dashboard.theme import FIGURE_COLOURS, PHASES

Numbers = Sequence[Sequence[float | None]]
Points = Sequence[Sequence[float]]
# from nearly the ground of either theme to a colour that stands out in both
_SHADES: Final = ((0.0, "rgba(217,122,26,0.10)"), (1.0, FIGURE_COLOURS["heard"]))
_GREY: Final = "#7d8499"
_MS_PER_DAY: Final = 86_400_000
_MOST_TICKS: Final = 6
NO_WEEK: Final = "Of no week that is over is there anything to tell yet."


def sessions_figure(
    days: Sequence[date], sessions: Sequence[int], listeners: Sequence[int]
) -> Figure:
    """Draw sessions and listeners by date."""
    bars = {
        "type": "bar",
        "x": list(days),
        "y": list(sessions),
        "name": "sessions",
        "marker": {"color": FIGURE_COLOURS["heard"]},
        "hovertemplate": "%{x|%-d %b %Y}: %{y} sessions<extra></extra>",
    }
    line = {
        "type": "scatter",
        "x": list(days),
        "y": list(listeners),
        "name": "listeners",
        "mode": "lines+markers" if len(days) == 1 else "lines",
        "line": {"color": FIGURE_COLOURS["skipped"], "width": 2},
        "hovertemplate": "%{x|%-d %b %Y}: %{y} listeners<extra></extra>",
    }
    is_few = bool(days) and (max(days) - min(days)).days < _MOST_TICKS
    ticks = {"dtick": _MS_PER_DAY} if is_few else {"nticks": _MOST_TICKS}
    return _figure(
        [bars, line],
        {"type": "date", "tickformat": "%-d %b", **ticks},
        {"rangemode": "tozero", "nticks": 5},
        bargap=0.15,
    )


def lengths_figure(names: Sequence[str], counts: Sequence[int]) -> Figure:
    """Draw how many sessions there are of each class of length."""
    bars = {
        "type": "bar",
        "x": list(counts),
        "y": list(names),
        "orientation": "h",
        "marker": {"color": FIGURE_COLOURS["heard"]},
        "hovertemplate": "%{y}: %{x} sessions<extra></extra>",
    }
    return _figure(
        [bars],
        {"rangemode": "tozero", "nticks": 5},
        {"type": "category", "autorange": "reversed"},
        showlegend=False,
        margin={"l": 112, "r": 8, "t": 8, "b": 32},
    )


def heat_figure(
    table: Numbers, hours: Sequence[str], weekdays: Sequence[str], unit: str
) -> Figure:
    """Draw a number by weekday and hour; what is not told is a gap."""
    return _map(
        table,
        hours,
        weekdays,
        f"%{{y}} %{{x}}: %{{z:,}} {unit}<extra></extra>",
        {"type": "category", "nticks": 8},
    )


def cohorts_figure(
    shares: Numbers, weeks: Sequence[str], firsts: Sequence[str]
) -> Figure:
    """Draw which share came back, by first week and by weeks since."""
    drawn = _map(
        shares,
        weeks,
        firsts,
        "came %{y}, week %{x}: %{z:.0%}<extra></extra>",
        {"type": "category", "nticks": 10},
        zmin=0,
        zmax=1,
    )
    drawn["layout"]["margin"] = {"l": 132, "r": 8, "t": 8, "b": 32}
    return drawn


def kept_figure(shares: Mapping[str, Sequence[float | None]]) -> Figure:
    """Draw which share of each cluster played, by weeks since the first play."""
    lines = [
        {
            "type": "scatter",
            "x": list(range(len(row))),
            "y": list(row),
            "name": name,
            "mode": "lines+markers",
            "line": _line(at),
            "hovertemplate": f"{name}, week %{{x}}: %{{y:.0%}}<extra></extra>",
        }
        for at, (name, row) in enumerate(shares.items())
    ]
    longest = max(map(len, shares.values()), default=0)
    if not longest:
        return {"data": [], "layout": {**layout(), **in_words(NO_WEEK)}}
    return _figure(
        lines,
        {"dtick": max(1, longest // 8), "rangemode": "tozero"},
        {"tickformat": ".0%", "range": [0, 1.02], "nticks": 5},
    )


def trajectory_figure(
    tracks: Points,
    path: Points,
    labels: Sequence[str],
    centres: Mapping[str, Sequence[float]],
) -> Figure:
    """Draw the way of one taste among some tracks and the centres of clusters.

    Parameters
    ----------
    tracks, path : sequence of pairs
        Places in the plane; the path by time.
    labels : sequence of str
        Of each place of the path.
    """
    names = [as_said(each) for each in labels]
    ground = _dots(tracks, "tracks", {"color": _GREY, "size": 3, "opacity": 0.35})
    way = _dots(path, "taste", {"color": FIGURE_COLOURS["heard"], "size": 6}) | {
        "mode": "lines+markers",
        "line": {"color": FIGURE_COLOURS["heard"], "width": 2},
        "text": names,
        "hovertemplate": "%{text}<extra></extra>",
    }
    newest = {"color": FIGURE_COLOURS["skipped"], "size": 12, "symbol": "star"}
    end = _dots(path[-1:], "newest", newest) | {
        "text": names[-1:],
        "hovertemplate": "%{text}<extra></extra>",
    }
    marks = _dots(
        list(centres.values()),
        "clusters",
        {"color": FIGURE_COLOURS["left"], "size": 10, "symbol": "diamond"},
    ) | {"text": [*map(as_said, centres)], "hovertemplate": "%{text}<extra></extra>"}
    bare = {"showticklabels": False, "zeroline": False}
    # a step is as long upwards as sideways
    return _figure([ground, marks, way, end], bare, bare | {"scaleanchor": "x"})


def _line(place: int) -> Figure:
    """Return what sets a line apart: colour, and dashes where colours come again."""
    turn, colour = divmod(place, len(PHASES))
    dash = LINE_DASHES[turn % len(LINE_DASHES)]
    return {"color": PHASES[colour], "width": 2, "dash": dash}


def _dots(points: Points, name: str, marker: Figure) -> Figure:
    return {
        "type": "scatter",
        "x": [x for x, _ in points],
        "y": [y for _, y in points],
        "name": name,
        "mode": "markers",
        "marker": marker,
        "hoverinfo": "skip",
    }


def _map(
    table: Numbers,
    columns: Sequence[str],
    rows: Sequence[str],
    hover: str,
    xaxis: Figure,
    **more: object,
) -> Figure:
    cells: dict[str, Any] = {
        "type": "heatmap",
        "z": [list(row) for row in table],
        "x": list(columns),
        "y": list(rows),
        "colorscale": [list(each) for each in _SHADES],
        "showscale": False,
        "xgap": 2,
        "ygap": 2,
        "hoverongaps": False,
        "hovertemplate": hover,
        **more,
    }
    yaxis = {"type": "category", "autorange": "reversed"}
    margin = {"l": 72, "r": 8, "t": 8, "b": 32}
    return _figure([cells], xaxis, yaxis, margin=margin)


def _figure(
    data: Sequence[Figure], xaxis: Figure, yaxis: Figure, **more: object
) -> Figure:
    ours = layout()
    axes = {"xaxis": ours["xaxis"] | xaxis, "yaxis": ours["yaxis"] | yaxis}
    return {"data": list(data), "layout": {**ours, **axes, **more}}
