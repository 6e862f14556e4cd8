"""The colours that the dashboard and the pages of reports have in common."""

from typing import Final

COLOURS: Final = {
    "bg": "#0c0d12",
    "surface": "#14161f",
    "raised": "#1d202c",
    "line": "#2b3042",
    "text": "#f3f4f8",
    "muted": "#a8aec2",
    "accent": "#ffb347",
    "cool": "#6fc3ff",
    "good": "#62d69b",
    "warn": "#ffd479",
}
"""Name of each colour and its sRGB value."""
