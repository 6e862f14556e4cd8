"""Colours and sizes; the style sheet and the figures take them from here.

`COLOURS` become CSS variables, and every pair in `TEXT_PAIRS` is held to the
contrast of WCAG 2.2 AA by a test.
"""

from typing import Final

from segue.palette import COLOURS as PALETTE

COLOURS: Final = {**PALETTE, "accent-ink": "#1d1202", "bad": "#ff8585"}
"""Name of each colour and its sRGB value."""

TEXT_PAIRS: Final = (
    *(
        (ink, ground)
        for ink in ("text", "muted", "accent", "cool", "good", "warn", "bad")
        for ground in ("bg", "surface", "raised")
    ),
    ("accent-ink", "accent"),
    ("accent-ink", "warn"),
)
"""Pairs of text and ground that the pages use."""

PHASES: Final = ("#ffb347", "#6fc3ff", "#62d69b", "#c4a7ff", "#ff8fab", "#ffe08a")
"""Colours of the phases of a micro-batch, in turn."""

_LINEAR_BELOW: Final = 0.04045


def css_variables() -> str:
    """Return the colours as one CSS rule.

    Examples
    --------
    >>> css_variables()[:20]
    ':root{--bg:#0c0d12;-'
    """
    body = ";".join(f"--{name}:{value}" for name, value in COLOURS.items())
    return f":root{{{body}}}"


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
