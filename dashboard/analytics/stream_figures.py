"""Figures of the page of the stream: its history in, Plotly figures out."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from dashboard.analytics.freshness import FRESH_S
from dashboard.analytics.stream_history import Column, History
from dashboard.figures import LINE_DASHES, layout
from dashboard.theme import MANY_COLOURS, PHASES

Figure = dict[str, Any]
_MB: Final = 1e-6


def delays_figure(history: History) -> Figure:
    """Draw percentiles of the time from event to list, and what counts as fresh."""
    starts = history.steps.starts
    lines = [
        _line(starts, delays_s, name, place, "s")
        for place, (name, delays_s) in enumerate(history.delays_s.items())
    ]
    ends = starts[:1] + starts[-1:]
    fresh = {
        **_line(ends, [FRESH_S] * len(ends), "fresh up to", 4, "s"),
        "line": {"color": PHASES[4], "width": 1, "dash": "dot"},
    }
    return _figure([*lines, fresh], {"ticksuffix": " s", "rangemode": "tozero"})


def rates_figure(history: History) -> Figure:
    """Draw how many messages a second came to each query, and how many it can take."""
    starts, lines = history.steps.starts, []
    for place, (query, columns) in enumerate(history.queries.items()):
        for dash, (column, name) in enumerate(
            (("input_rows_per_s", "came"), ("processed_rows_per_s", "taken"))
        ):
            line = _line(starts, columns[column], f"{query}: {name}", place, "rows/s")
            line["line"]["dash"] = LINE_DASHES[dash]
            lines.append(line)
    return _figure(lines, {"rangemode": "tozero"})


def phases_figure(history: History, query: str) -> Figure:
    """Draw the mean time of a query's micro-batches, by phase."""
    return _stacked(history.steps.starts, history.phases_ms.get(query, {}), " ms")


def state_figure(history: History, query: str) -> Figure:
    """Draw rows and memory of a query's state."""
    columns = history.queries.get(query, {})
    rows = columns.get("state_rows", [])
    n_bytes = columns.get("state_bytes", [])
    in_mb: Column = [None if each is None else each * _MB for each in n_bytes]
    return _two(history.steps.starts, ("rows", rows, ""), ("memory", in_mb, " MB"))


def lag_figure(history: History, query: str) -> Figure:
    """Draw how far a query's watermark is behind, and what waits in Kafka."""
    columns = history.queries.get(query, {})
    return _two(
        history.steps.starts,
        ("waiting messages", columns.get("n_waiting", []), ""),
        ("watermark behind", columns.get("watermark_lag_s", []), " s"),
    )


def messages_figure(history: History) -> Figure:
    """Draw the messages that did not count, by step and by reason."""
    columns = {
        "late": history.counts["n_late"],
        "known before": history.counts["n_known"],
        **{
            f"rejected: {reason.replace('_', ' ')}": counts
            for reason, counts in history.rejected.items()
        },
    }
    return _stacked(history.steps.starts, columns, "")


def _line(
    at: Sequence[datetime], values: Sequence[Any], name: str, place: int, unit: str
) -> Figure:
    return {
        "type": "scatter",
        "x": list(at),
        "y": list(values),
        "name": name,
        "mode": "lines+markers" if _is_sparse(values) else "lines",
        "line": {"color": PHASES[place % len(PHASES)], "width": 2},
        "marker": {"size": 4},
        "hovertemplate": f"%{{x|%H:%M}}: %{{y:.3~s}} {unit} {name}<extra></extra>",
    }


def _is_sparse(values: Sequence[Any]) -> bool:
    """Tell whether a point may stand alone, where a line would show nothing."""
    there = [value is not None for value in values]
    return any(
        is_there and not any(there[max(0, n - 1) : n] + there[n + 1 : n + 2])
        for n, is_there in enumerate(there)
    )


def _stacked(
    at: Sequence[datetime], columns: Mapping[str, Sequence[Any]], unit: str
) -> Figure:
    bars = [
        {
            "type": "bar",
            "x": list(at),
            "y": list(values),
            "name": name,
            "marker": {"color": MANY_COLOURS[place % len(MANY_COLOURS)]},
            "hovertemplate": f"%{{x|%H:%M}}: %{{y:,.0f}}{unit} {name}<extra></extra>",
        }
        for place, (name, values) in enumerate(columns.items())
    ]
    axis = {"ticksuffix": unit, "rangemode": "tozero"}
    return _figure(bars, axis, barmode="stack", bargap=0.15)


def _two(
    at: Sequence[datetime],
    left: tuple[str, Sequence[Any], str],
    right: tuple[str, Sequence[Any], str],
) -> Figure:
    """Draw two columns of different units, each with an axis of its own."""
    lines = [
        _line(at, values, name, place, unit.strip())
        for place, (name, values, unit) in enumerate((left, right))
    ]
    lines[1] |= {"yaxis": "y2", "line": {**lines[1]["line"], "dash": LINE_DASHES[1]}}
    axes = [
        {"ticksuffix": unit, "rangemode": "tozero", "nticks": 5}
        for _, _, unit in (left, right)
    ]
    beside = {**layout()["yaxis"], "overlaying": "y", "side": "right"}
    beside |= {**axes[1], "showgrid": False}
    margin = {**layout()["margin"], "r": 56}
    return _figure(lines, axes[0], yaxis2=beside, margin=margin)


def _figure(data: Iterable[Figure], yaxis: Figure, **more: object) -> Figure:
    ours = layout()
    axes = {
        "xaxis": ours["xaxis"] | {"type": "date", "tickformat": "%H:%M", "nticks": 6},
        "yaxis": ours["yaxis"] | {"nticks": 5} | yaxis,
    }
    return {"data": list(data), "layout": {**ours, **axes, **more}}
