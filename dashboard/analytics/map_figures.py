"""The taste map's figure, and its colours: plain data in, a Plotly figure out.

Fifty thousand points travel as base64 of whole numbers. `browser/pages/map_canvas.js`
draws them: Plotly has axes, lasso and buttons, but its WebGL compiles code from text,
which our Content-Security-Policy forbids, and as SVG so many points are too slow.
"""

import base64
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dashboard.analytics.map_points import EXTENT, NONE, Labels
from dashboard.figures import layout
from dashboard.theme import MANY_COLOURS, MAP_GREY, MAP_HEAT

Figure = dict[str, Any]
_PER_CLASS: Final = 4
_MARGIN: Final = 8
_MANY: Final = 5_000
_EDGE: Final = 1.04
_AXIS: Final = {
    "visible": False,
    "fixedrange": False,
    "range": [-EXTENT * _EDGE, EXTENT * _EDGE],
}


class Category(NamedTuple):
    """Points of one colour.

    Attributes
    ----------
    key : str
        What the address chooses it by, "" where it cannot be chosen.
    points : intp array
        Ascending.
    """

    key: str
    name: str
    colour: str
    points: NDArray[np.intp]


def by_label(labels: Labels, others: str) -> list[Category]:
    """Return a colour for each of the most frequent labels, grey for all others.

    Parameters
    ----------
    others : str
        How the others are named.
    """
    n = len(MANY_COLOURS)
    named = zip(labels.keys, labels.names, MANY_COLOURS, strict=False)
    found = [
        Category(key, name, colour, np.flatnonzero(labels.numbers == number))
        for number, (key, name, colour) in enumerate(named)
    ]
    rest = np.flatnonzero(labels.numbers >= n)
    none = np.flatnonzero(labels.numbers == NONE)
    many = f"{max(0, len(labels.keys) - n)} {others}"
    found += [Category("", many, MAP_GREY, rest)]
    found += [Category("", "not told", MAP_GREY, none)]
    return [each for each in found if len(each.points)]


def by_plays(plays: NDArray[np.int64]) -> list[Category]:
    """Return a colour for each class of plays; a class reaches four times as far.

    Examples
    --------
    >>> [(each.name, each.points.tolist()) for each in by_plays(np.array([0, 3, 4, 1]))]
    [('not played', [0]), ('1 to 3 plays', [1, 3]), ('4 to 15 plays', [2])]
    """
    lowest = [_PER_CLASS**power for power in range(len(MAP_HEAT))]
    classes = np.searchsorted(lowest, plays, side="right")
    names = ["not played"]
    names += [f"{low:,} to {_PER_CLASS * low - 1:,} plays" for low in lowest[:-1]]
    names += [f"{lowest[-1]:,} plays or more"]
    return [
        Category("", name, colour, points)
        for number, (name, colour) in enumerate(
            zip(names, (MAP_GREY, *MAP_HEAT), strict=True)
        )
        if len(points := np.flatnonzero(classes == number))
    ]


def map_figure(
    places: NDArray[np.int16],
    categories: Sequence[Category],
    chosen: NDArray[np.bool_] | None = None,
) -> Figure:
    """Draw points in the colours of their categories, the greatest one at the back.

    Parameters
    ----------
    places : int16 array of shape (n_points, 2)
    chosen : bool array of shape (n_points,), optional
        Points that stand out; None where all do.
    """
    size = 4 if len(places) > _MANY else 7
    from_behind = sorted(categories, key=lambda each: -len(each.points))
    return {
        "data": [_trace(places, each, chosen, size) for each in from_behind],
        "layout": {
            **layout(),
            "margin": dict.fromkeys("lrtb", _MARGIN),
            "xaxis": _AXIS,
            "yaxis": {**_AXIS, "scaleanchor": "x"},
            "showlegend": False,
            "hovermode": False,
            "dragmode": "lasso",
            "selectdirection": "d",
        },
    }


def frame_figure() -> Figure:
    """Return the map without points; that one corner is there gives it a lasso."""
    corner = {
        "type": "scatter",
        "mode": "markers",
        "x": [EXTENT],
        "y": [EXTENT],
        "marker": {"opacity": 0},
        "unselected": {"marker": {"opacity": 0}},
        "hoverinfo": "skip",
    }
    return {**map_figure(np.zeros((0, 2), np.int16), []), "data": [corner]}


def _trace(
    places: NDArray[np.int16],
    category: Category,
    chosen: NDArray[np.bool_] | None,
    size: int,
) -> Figure:
    points = category.points
    trace: Figure = {
        "type": "scattergl",
        "mode": "markers",
        "name": category.name,
        "x": packed(places[points, 0]),
        "y": packed(places[points, 1]),
        "customdata": packed(points.astype(np.int32)),
        "marker": {"color": category.colour, "size": size, "opacity": 0.85},
        "unselected": {"marker": {"opacity": 0.12}},
    }
    if chosen is not None:
        trace["selectedpoints"] = np.flatnonzero(chosen[points]).tolist()
    return trace


def packed(column: NDArray[Any]) -> dict[str, str]:
    """Return whole numbers as Plotly reads them from JSON.

    Examples
    --------
    >>> packed(np.array([1, -1], np.int16))
    {'dtype': 'i2', 'bdata': 'AQD//w=='}
    """
    # little-endian, whatever the machine is
    content = column.astype(column.dtype.newbyteorder("<")).tobytes()
    name = f"{column.dtype.kind}{column.dtype.itemsize}"
    return {"dtype": name, "bdata": base64.b64encode(content).decode()}
