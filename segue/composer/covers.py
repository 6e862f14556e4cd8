"""Cover art: a picture per album, its palette by style and its figure by artist."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from segue.composer.plan import AlbumPlan

SIDE_PX: Final = 600
_SCALE: Final = 2  # drawn larger, then reduced: smooth edges
_FULL: Final = SIDE_PX * _SCALE

Colour = tuple[int, int, int]
# genre: background above and below, three colours of the figure, that of the text
_PALETTES: Final[dict[str, tuple[str, ...]]] = {
    "House": ("#2b1055", "#d53369", "#ffb347", "#ff6f91", "#845ec2", "#fff3e0"),
    "Ambient": ("#dfe9f3", "#88a7c4", "#f7fbff", "#5f7fa2", "#b4cde0", "#1f3348"),
    "Chiptune": ("#0f0f23", "#1b1464", "#00e5ff", "#ff2e88", "#ffe600", "#f5f5ff"),
    "Folk": ("#f3e3c3", "#c98b4b", "#7a9a52", "#8c4a2f", "#e2b866", "#3b2414"),
    "Drum and Bass": ("#05080f", "#12343b", "#00d1b2", "#e8f1f2", "#1f7a8c", "#e8f1f2"),
    "Solo Piano": ("#f5f1ea", "#b9b4ab", "#2c2c34", "#8d8a92", "#d9c9ae", "#22222a"),
    "Strings": ("#3a0d12", "#7b1e22", "#d4a24e", "#b5533c", "#f0d9a8", "#f8ead0"),
    "Dub": ("#0b2b16", "#175e2c", "#f6c500", "#d7263d", "#58a449", "#fff4cf"),
    "Acid Techno": ("#101010", "#232323", "#c6ff00", "#f4f4f4", "#7a9900", "#c6ff00"),
    "Bells": ("#0f3d3e", "#2a7f6f", "#e0b04c", "#f1e3c0", "#b5652a", "#f7ecd0"),
    "Noise Rock": ("#1a1a1a", "#4a1216", "#e63946", "#f1faee", "#8d99ae", "#f1faee"),
    "Lo-fi Hip Hop": ("#f2c6a0", "#a7789c", "#f7e3b5", "#6d597a", "#e56b6f", "#35234b"),
}


@dataclass(frozen=True)
class _Sheet:
    """What a figure is drawn upon."""

    draw: ImageDraw.ImageDraw
    rng: np.random.Generator
    colours: tuple[Colour, ...]

    def colour(self, alpha: int = 255) -> tuple[int, int, int, int]:
        """Return one of the figure's colours."""
        red, green, blue = self.colours[int(self.rng.integers(len(self.colours)))]
        return red, green, blue, alpha


def cover_of(album: AlbumPlan, rng: np.random.Generator) -> Image.Image:
    """Draw the cover of an album, 600 px square.

    Parameters
    ----------
    album : AlbumPlan
        Style, artist and title.
    rng : Generator
        Draws the figure.
    """
    palette = [_rgb(text) for text in _PALETTES[album.genre]]
    paper = _gradient(palette[0], palette[1]).convert("RGBA")
    layer = Image.new("RGBA", paper.size, (0, 0, 0, 0))
    sheet = _Sheet(ImageDraw.Draw(layer), rng, tuple(palette[2:5]))
    figures = _FIGURES[album.genre]
    figures[album.artist_number % len(figures)](sheet)
    paper.alpha_composite(layer)
    small = paper.convert("RGB").resize((SIDE_PX, SIDE_PX), Image.Resampling.LANCZOS)
    return _lettered(_grained(small, rng), album, palette)


def _rgb(text: str) -> Colour:
    red, green, blue = bytes.fromhex(text[1:])
    return red, green, blue


def _gradient(top: Colour, bottom: Colour) -> Image.Image:
    share = np.linspace(0.0, 1.0, _FULL)[:, None, None]
    column = np.array(top) * (1 - share) + np.array(bottom) * share
    pixels = np.broadcast_to(column, (_FULL, _FULL, 3)).astype(np.uint8)
    return Image.fromarray(pixels)


def _grained(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    pixels = np.asarray(picture, dtype=np.float32)
    grain = rng.normal(0.0, 5.0, pixels.shape[:2]).astype(np.float32)
    return Image.fromarray(np.clip(pixels + grain[..., None], 0, 255).astype(np.uint8))


def _lettered(
    picture: Image.Image, album: AlbumPlan, palette: list[Colour]
) -> Image.Image:
    ink = palette[-1]
    paper = max(palette[:2], key=lambda colour: abs(sum(colour) - sum(ink)))
    letters = Image.new("RGBA", picture.size, (0, 0, 0, 0))
    for colour, blur in ((paper, 6), (paper, 3), (ink, 0)):
        layer = Image.new("RGBA", picture.size, (*colour, 0))
        draw = ImageDraw.Draw(layer)
        for text, size, y in ((album.title, 46, 488), (album.artist, 25, 546)):
            font = ImageFont.load_default(size)
            width = 5 if blur else 0
            draw.text((34, y), text, (*colour, 255), font, stroke_width=width)
        letters.alpha_composite(layer.filter(ImageFilter.GaussianBlur(blur)))
    picture = picture.convert("RGBA")
    picture.alpha_composite(letters)
    return picture.convert("RGB")


def _discs(sheet: _Sheet) -> None:
    """Draw overlapping translucent discs."""
    for _ in range(14):
        x, y = sheet.rng.uniform(0.1, 0.9, 2) * _FULL
        r = sheet.rng.uniform(0.05, 0.24) * _FULL
        sheet.draw.ellipse((x - r, y - r, x + r, y + r), fill=sheet.colour(150))


def _rings(sheet: _Sheet) -> None:
    """Draw concentric rings around a point off the centre: a record, a gong."""
    x, y = sheet.rng.uniform(0.3, 0.7, 2) * _FULL
    for r in np.linspace(0.75, 0.04, 16) * _FULL:
        sheet.draw.ellipse(
            (x - r, y - r, x + r, y + r),
            outline=sheet.colour(230),
            width=int(sheet.rng.integers(4, 26)),
        )


def _hills(sheet: _Sheet) -> None:
    """Draw ranges of hills under a sun."""
    x, r = sheet.rng.uniform(0.25, 0.75) * _FULL, sheet.rng.uniform(0.09, 0.16) * _FULL
    y = 0.3 * _FULL
    sheet.draw.ellipse((x - r, y - r, x + r, y + r), fill=sheet.colour(240))
    across = np.linspace(0, _FULL, 120)
    for level in np.linspace(0.45, 0.85, 5):
        waves = sum(
            sheet.rng.uniform(0.01, 0.05)
            * np.sin(
                across / _FULL * sheet.rng.uniform(2, 11) + sheet.rng.uniform(0, 6)
            )
            for _ in range(3)
        )
        ridge = list(zip(across, (level + waves) * _FULL, strict=True))
        sheet.draw.polygon([*ridge, (_FULL, _FULL), (0, _FULL)], fill=sheet.colour(205))


def _waves(sheet: _Sheet) -> None:
    """Draw lines that swell in the middle, as the trace of a sound."""
    across = np.linspace(0, _FULL, 240)
    bulge = np.exp(-(((across / _FULL - sheet.rng.uniform(0.35, 0.65)) / 0.22) ** 2))
    for level in np.linspace(0.1, 0.8, 26):
        rough = np.convolve(sheet.rng.normal(0, 1, 260), np.hanning(21), "valid")
        trace = (level - 0.016 * bulge * np.abs(rough)) * _FULL
        points = list(zip(across, trace, strict=True))
        sheet.draw.line(points, fill=sheet.colour(235), width=5, joint="curve")


def _pixels(sheet: _Sheet) -> None:
    """Draw a symmetric creature on a coarse grid, among stars."""
    cell = _FULL // 16
    for x, y in sheet.rng.integers(0, 16, (26, 2)) * cell:
        sheet.draw.rectangle((x + 24, y + 24, x + 40, y + 40), fill=sheet.colour(200))
    for row in range(3, 11):
        for column in range(4):
            if sheet.rng.random() < 0.62:  # noqa: PLR2004
                fill = sheet.colour()
                for place in (7 - column, 8 + column):
                    x, y = place * cell, row * cell
                    sheet.draw.rectangle((x, y, x + cell - 5, y + cell - 5), fill=fill)


def _stripes(sheet: _Sheet) -> None:
    """Draw slanted bars of unequal width."""
    x = -0.6 * _FULL
    slant = sheet.rng.uniform(0.2, 0.6) * _FULL
    while x < 1.1 * _FULL:
        width = sheet.rng.uniform(0.02, 0.12) * _FULL
        corners = (
            (x, _FULL),
            (x + width, _FULL),
            (x + width + slant, 0),
            (x + slant, 0),
        )
        sheet.draw.polygon(corners, fill=sheet.colour(int(sheet.rng.integers(60, 230))))
        x += width + sheet.rng.uniform(0.02, 0.1) * _FULL


def _shards(sheet: _Sheet) -> None:
    """Draw broken triangles that fly from one point."""
    centre = sheet.rng.uniform(0.35, 0.65, 2) * _FULL
    for angle in np.sort(sheet.rng.uniform(0, 2 * np.pi, 26)):
        reach = sheet.rng.uniform(0.25, 0.85) * _FULL
        turn = sheet.rng.uniform(0.04, 0.2)
        tips = [
            tuple(centre + reach * np.array([np.cos(a), np.sin(a)]))
            for a in (angle, angle + turn)
        ]
        sheet.draw.polygon([tuple(centre), *tips], fill=sheet.colour(170))


def _leaves(sheet: _Sheet) -> None:
    """Draw a wreath of leaves."""
    for turn in range(9):
        radius = (0.12 + 0.035 * turn) * _FULL
        for angle in np.arange(0, 2 * np.pi, 2 * np.pi / (6 + 2 * turn)):
            a = angle + 0.4 * turn
            x, y = np.array([np.cos(a), np.sin(a)]) * radius + [
                0.5 * _FULL,
                0.42 * _FULL,
            ]
            r = sheet.rng.uniform(0.012, 0.034) * _FULL
            sheet.draw.ellipse(
                (x - r, y - 2 * r, x + r, y + 2 * r), fill=sheet.colour(215)
            )


_Figure = Callable[[_Sheet], None]
_FIGURES: Final[dict[str, tuple[_Figure, ...]]] = {
    "House": (_discs, _stripes),
    "Ambient": (_hills, _discs),
    "Chiptune": (_pixels, _pixels),
    "Folk": (_leaves, _hills),
    "Drum and Bass": (_waves, _shards),
    "Solo Piano": (_stripes, _waves),
    "Strings": (_waves, _leaves),
    "Dub": (_rings, _stripes),
    "Acid Techno": (_shards, _rings),
    "Bells": (_rings, _leaves),
    "Noise Rock": (_shards, _waves),
    "Lo-fi Hip Hop": (_hills, _rings),
}
