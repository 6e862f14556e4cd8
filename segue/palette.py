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

LIGHT_COLOURS: Final = {
    "bg": "#f5f5f9",
    "surface": "#ffffff",
    "raised": "#e9eaf1",
    "line": "#d5d8e3",
    "text": "#171922",
    "muted": "#545b70",
    "accent": "#9a4a00",
    "cool": "#1560a0",
    "good": "#12693f",
    "warn": "#7a5200",
}
"""The same for who reads dark on light."""
