"""Cost against size as an SVG, both logarithmic: in proportion is a slope of 1."""

import html
import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

_WIDTH, _HEIGHT = 760, 460
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 110, 24, 54
_COLOURS: Final = ("#d1495b", "#2e86ab", "#3a7d44", "#8f5fbf", "#e08e1b", "#333333")
_SMALLEST_S: Final = 1e-3


def cost_plot(
    sizes: Sequence[int], costs: Mapping[str, Sequence[float]], of: str = "tracks"
) -> str:
    """Return an SVG of lines.

    Parameters
    ----------
    sizes : sequence of int
        Ascending.
    costs : mapping
        Seconds by name, one for each size or for the first of them.
    of : str, optional
        What the sizes count.
    """
    highest = max(max(cost_s) for cost_s in costs.values())
    lowest = max(min(min(cost_s) for cost_s in costs.values()), _SMALLEST_S)
    lowest = min(lowest, highest / 10)  # what is flat looks flat
    across = _Axis(sizes[0], sizes[-1], _LEFT, _WIDTH - _RIGHT)
    up = _Axis(lowest, highest, _HEIGHT - _BOTTOM, _TOP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        'font-family="system-ui, sans-serif" font-size="13">',
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        *_grid(across, up, sizes, of),
        *_guide(across, up, highest),
    ]
    colours = _COLOURS[: len(costs)]
    ends = _spread([up.place(cost_s[-1]) for cost_s in costs.values()])
    for (name, cost_s), colour, end in zip(costs.items(), colours, ends, strict=True):
        parts += _line(across, up, sizes, cost_s, colour)
        parts.append(_text(_WIDTH - _RIGHT + 10, end + 4, name, colour))
    return "\n".join([*parts, "</svg>"]) + "\n"


class _Axis:
    """A logarithmic scale from values to places on the page."""

    def __init__(self, low: float, high: float, start: float, end: float) -> None:
        self.low, self.high = low, max(high, low * 1.01)
        self.start, self.end = start, end

    def place(self, value: float) -> float:
        whole = math.log(self.high / self.low)
        share = math.log(max(value, self.low) / self.low) / whole
        return round(self.start + share * (self.end - self.start), 1)

    def decades(self) -> list[float]:
        first, last = math.ceil(math.log10(self.low)), math.floor(math.log10(self.high))
        return [10.0**power for power in range(first, last + 1)]


def _grid(across: _Axis, up: _Axis, sizes: Sequence[int], of: str) -> list[str]:
    parts = list[str]()
    for cost_s in up.decades():
        y = up.place(cost_s)
        parts.append(_stroke(across.start, y, across.end, y, "#dddddd"))
        parts.append(_text(across.start - 8, y + 4, f"{cost_s:g} s", anchor="end"))
    for size in sizes:
        x = across.place(size)
        parts.append(_stroke(x, up.start, x, up.end, "#dddddd"))
        parts.append(_text(x, up.start + 20, f"{size:,}", anchor="middle"))
    middle = (across.start + across.end) / 2
    return [*parts, _text(middle, up.start + 42, of, anchor="middle")]


def _guide(across: _Axis, up: _Axis, highest: float) -> list[str]:
    """Return the line that a cost in proportion to the size would follow."""
    first = max(highest * across.low / across.high, up.low)
    size = across.high * first / highest
    x, y = across.place(size), up.place(first)
    line = _stroke(x, y, across.end, up.place(highest), "#999999", "5 5")
    return [line, _text(x + 24, y + 4, "in proportion", "#777777")]


def _line(
    across: _Axis, up: _Axis, sizes: Sequence[int], cost_s: Sequence[float], colour: str
) -> list[str]:
    places = [
        (across.place(size), up.place(cost))
        for size, cost in zip(sizes, cost_s, strict=False)
    ]
    points = " ".join(f"{x},{y}" for x, y in places)
    return [
        f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>',
        *(f'<circle cx="{x}" cy="{y}" r="3.5" fill="{colour}"/>' for x, y in places),
    ]


def _spread(places: list[float], apart: float = 16) -> list[float]:
    """Return places for labels that do not cover each other."""
    order = sorted(range(len(places)), key=places.__getitem__)
    spread = list(places)
    for above, below in pairwise(order):
        spread[below] = max(spread[below], spread[above] + apart)
    return spread


def _stroke(
    x1: float, y1: float, x2: float, y2: float, colour: str, dash: str = "none"
) -> str:
    return (
        f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{colour}" '
        f'stroke-dasharray="{dash}"/>'
    )


def _text(
    x: float, y: float, text: str, colour: str = "#333333", anchor: str = "start"
) -> str:
    return (
        f'<text x="{x}" y="{y}" fill="{colour}" text-anchor="{anchor}">'
        f"{html.escape(text)}</text>"
    )
