"""Figures of the page Audio space: plain data in, Plotly figures out."""

from collections.abc import Sequence
from typing import Any, Final

from dashboard.figures import as_said, layout
from dashboard.theme import FIGURE_COLOURS
from segue.audio_reports import (
    HUB_CLASSES,
    LARGE_SHIFT,
    SMALL_SHIFT,
    BlockDrift,
    Hubs,
)

Figure = dict[str, Any]
_WAY_COLOURS: Final = (FIGURE_COLOURS["skipped"], FIGURE_COLOURS["heard"])


def hub_classes() -> list[str]:
    """Return the names of the classes of a k-occurrence.

    Examples
    --------
    >>> hub_classes()[:5], hub_classes()[-1]
    (['0', '1', '2', '3 to 4', '5 to 7'], '1000 or more')
    """
    ends = [*HUB_CLASSES[1:], None]
    return [
        f"{start} or more" if end is None else _between(start, end - 1)
        for start, end in zip(HUB_CLASSES, ends, strict=True)
    ]


def hub_figure(hubs: Hubs | None) -> Figure:
    """Draw how many tracks stand in so many lists, for each way of ranking."""
    ways = hubs.ways if hubs is not None else []
    n_shown = max((_n_used(way.counts) for way in ways), default=0)
    bars = [
        {
            "type": "bar",
            "x": hub_classes()[:n_shown],
            "y": way.counts[:n_shown],
            "name": way.way,
            "marker": {"color": colour},
            "hovertemplate": "in %{x} lists: %{y} tracks<extra></extra>",
        }
        for way, colour in zip(ways, _WAY_COLOURS, strict=False)
    ]
    return _figure(
        bars,
        {"type": "category", "title": {"text": "in so many lists"}},
        {"rangemode": "tozero", "nticks": 5},
        margin={"l": 56, "r": 8, "t": 8, "b": 64},
        bargap=0.2,
    )


def drift_figure(moved: Sequence[BlockDrift]) -> Figure:
    """Draw how far each block has moved, with the thresholds."""
    names = [as_said(each.name) for each in moved]
    bars = [
        _bars(names, [each.most for each in moved], "farthest dimension", "left"),
        _bars(names, [each.mean for each in moved], "all dimensions", "started"),
    ]
    lines = [
        {
            "type": "line",
            "xref": "paper",
            **{"x0": 0, "x1": 1, "y0": at, "y1": at},
            "line": {"color": FIGURE_COLOURS["heard"], "width": 1, "dash": "dot"},
        }
        for at in (SMALL_SHIFT, LARGE_SHIFT)
    ]
    highest = max((each.most for each in moved), default=0.0)
    return _figure(
        bars,
        {"type": "category"},
        {"range": [0, max(1.1 * highest, 1.2 * LARGE_SHIFT)], "nticks": 5},
        shapes=lines,
        margin={"l": 56, "r": 8, "t": 8, "b": 80},
        bargap=0.25,
    )


def _bars(names: list[str], shifts: list[float], name: str, colour: str) -> Figure:
    return {
        "type": "bar",
        "x": names,
        "y": shifts,
        "name": name,
        "marker": {"color": FIGURE_COLOURS[colour]},
        "hovertemplate": f"%{{x}}, {name}: %{{y:.2f}} deviations<extra></extra>",
    }


def _n_used(counts: Sequence[int]) -> int:
    """Return the number of classes up to the last that is not empty."""
    return max((n + 1 for n, count in enumerate(counts) if count), default=0)


def _between(first: int, last: int) -> str:
    return str(first) if first == last else f"{first} to {last}"


def _figure(
    data: Sequence[Figure], xaxis: Figure, yaxis: Figure, **more: object
) -> Figure:
    ours = layout()
    axes = {"xaxis": ours["xaxis"] | xaxis, "yaxis": ours["yaxis"] | yaxis}
    return {"data": list(data), "layout": {**ours, **axes, **more}}
