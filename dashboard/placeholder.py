"""A drawn cover for an album that has none: shapes only, no text."""

import hashlib
from typing import Final

_SIZE: Final = 120


def placeholder_svg(seed: str) -> str:
    """Return an SVG picture that depends on `seed` alone.

    Examples
    --------
    >>> placeholder_svg("Ina/Tides") == placeholder_svg("Ina/Tides")
    True
    >>> placeholder_svg("<script>").count("script")
    0
    """
    numbers = hashlib.sha256(seed.encode()).digest()
    hue = numbers[0] * 360 // 256
    other = (hue + 40 + numbers[1] % 120) % 360
    rings = "".join(_ring(numbers[at : at + 3]) for at in (2, 5, 8, 11))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_SIZE} {_SIZE}">'
        '<defs><linearGradient id="g" x1="0" y1="0" x2="1" y2="1">'
        f'<stop offset="0" stop-color="hsl({hue} 55% 34%)"/>'
        f'<stop offset="1" stop-color="hsl({other} 60% 22%)"/></linearGradient></defs>'
        f'<rect width="{_SIZE}" height="{_SIZE}" fill="url(#g)"/>'
        f'<g fill="none" stroke="hsl({hue} 80% 80%)" stroke-opacity=".45">{rings}</g>'
        "</svg>"
    )


def _ring(numbers: bytes) -> str:
    x, y, radius = (number * _SIZE // 256 for number in numbers)
    width = 1 + numbers[2] % 5
    return f'<circle cx="{x}" cy="{y}" r="{12 + radius // 2}" stroke-width="{width}"/>'
