"""Colours of both themes; the style sheets and the figures take them from here.

`THEMES` become CSS variables, and a test holds every pair of `TEXT_PAIRS` and of
`GRAPHIC_PAIRS` to the contrast of WCAG 2.2 AA, in each theme.
"""

from collections.abc import Mapping
from itertools import product
from typing import Final

from segue.palette import COLOURS as PALETTE
from segue.palette import LIGHT_COLOURS

COLOURS: Final = {
    **PALETTE,
    "accent-ink": "#1d1202",
    "bad": "#ff8585",
    "edge": "#727a93",
    "ember": "#ff7a59",
}
"""Name of each colour of the dark theme and its sRGB value."""

THEMES: Final[Mapping[str, Mapping[str, str]]] = {
    "dark": {**COLOURS, "shadow": "#000000a0"},
    "light": {
        **LIGHT_COLOURS,
        "accent-ink": "#ffffff",
        "bad": "#b3261e",
        "edge": "#7d8499",
        "ember": "#c2451f",
        "shadow": "#1719222e",
    },
}

_GROUNDS: Final = ("bg", "surface", "raised")
TEXT_PAIRS: Final = (
    *product(("text", "muted", "accent", "cool", "good", "warn", "bad"), _GROUNDS),
    ("accent-ink", "accent"),
    ("accent-ink", "warn"),
)
"""Pairs of text and ground that the pages use."""

GRAPHIC_PAIRS: Final = tuple(product(("accent", "edge", "ember", "text"), _GROUNDS))
"""Pairs of what is not text, such as a slider or the ring of the focus, and ground."""

FIGURE_COLOURS: Final = {
    "heard": "#d97a1a",
    "skipped": "#3f8fd6",
    "left": "#9470dc",
    "started": "#2f9a68",
}
PHASES: Final = (*("#d97a1a", "#3f8fd6", "#2f9a68", "#9470dc", "#e0567e", "#a98112"),)
"""Colours of the phases of a micro-batch, in turn.

Figures do not know the reader's theme: their colours stand out in both.
"""
MANY_COLOURS: Final = (*PHASES, *("#1f9a9f", "#b8693f", "#c25fc4", "#6f9a2a"))
"""The same and more: of what tracks belong to on the taste map, of what is stacked."""
MAP_HEAT: Final = (
    *("#5a86c9", "#2b95a3", "#2f9a68", "#8d8d18", "#c9791a", "#d9623a", "#e0567e"),
)
"""Colours of classes of plays there, the fewest first."""
MAP_GREY: Final = "#7d8499"

_LINEAR_BELOW: Final = 0.04045


def css_variables() -> str:
    """Return the colours as CSS rules: dark, or light where one chose or prefers it.

    `assets/theme.js` says on the root element what was chosen.

    Examples
    --------
    >>> css_variables()[:38]
    ':root{color-scheme:dark;--bg:#0c0d12;-'
    """
    dark, light = (
        ";".join(
            [f"color-scheme:{name}"]
            + [f"--{colour}:{value}" for colour, value in colours.items()]
        )
        for name, colours in THEMES.items()
    )
    return (
        f":root{{{dark}}}"
        f":root[data-theme=light]{{{light}}}"
        "@media (prefers-color-scheme:light)"
        f"{{:root:not([data-theme]){{{light}}}}}"
    )


def luminance(colour: str) -> float:
    """Return the relative luminance of `#rrggbb`, from 0 (black) to 1 (white).

    Notes
    -----
    The formula is that of WCAG 2.2, "relative luminance".

    Examples
    --------
    >>> luminance("#ffffff")
    1.0
    """
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = map(_linear, channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first: str, second: str) -> float:
    """Return the contrast ratio of two colours, from 1 to 21.

    Examples
    --------
    >>> contrast("#000000", "#ffffff")
    21.0
    """
    dark, light = sorted((luminance(first), luminance(second)))
    return (light + 0.05) / (dark + 0.05)


def _linear(channel: float) -> float:
    if channel <= _LINEAR_BELOW:
        return channel / 12.92
    return float(((channel + 0.055) / 1.055) ** 2.4)
