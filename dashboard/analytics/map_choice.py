"""What of the taste map is looked at, and which of its tracks are chosen."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dashboard.analytics.map_points import PCA, UMAP, MapPoints
from dashboard.analytics.questions import Question
from dashboard.refusals import RefusedError

MOST_LISTED: Final = 500
COLOURINGS: Final[Mapping[str, str]] = {
    "style": "Style",
    "artist": "Artist",
    "cluster": "Cluster",
    "plays": "Plays",
}
"""What points are coloured by: the word of the address, and its name."""
LAYERS: Final[Mapping[str, str]] = {PCA: "Main directions (PCA)", UMAP: "UMAP"}
GROUPS: Final = "groups"
LISTENERS: Final = "listeners"
MOVEMENTS: Final[Mapping[str, str]] = {
    GROUPS: "Groups of listeners",
    LISTENERS: "Single listeners (for admins)",
}
"""Who is seen to move: the word of the address, and its name."""
FILTERS: Final = frozenset({"style", "artist", "cluster", "box"})
"""By what tracks of the map are chosen."""
_SIDES: Final = "left, right, bottom, top"
_N_SIDES: Final = 4
_MOST_DIGITS: Final = 7
_SHOWN_CHARS: Final = 40


class Box(NamedTuple):
    """A rectangle of the map, its sides included."""

    left: int
    right: int
    bottom: int
    top: int


def colouring_of(question: Question) -> str:
    """Return what points are coloured by.

    Raises
    ------
    RefusedError
        Where there is no such colouring.
    """
    return _one_of(COLOURINGS, question.get("colour"), "colouring")


def layer_of(question: Question, points: MapPoints) -> str:
    """Return the layer that is looked at.

    Raises
    ------
    RefusedError
        Where there is no such layer, or it was not made for this index.
    """
    name = _one_of(LAYERS, question.get("layer"), "layer")
    if name not in points.places:
        raise RefusedError(
            404,
            "no_layer",
            "This index has no UMAP layer yet: `segue features umap` makes it, every "
            "night where it is scheduled.",
        )
    return name


def box_of(text: str) -> Box | None:
    """Return a rectangle, None for an empty text.

    Raises
    ------
    RefusedError
        Where it is none.

    Examples
    --------
    >>> box_of("-100, 250,0,99")
    Box(left=-100, right=250, bottom=0, top=99)
    """
    if not text:
        return None
    parts = [part.strip() for part in text.split(",")]
    is_whole = len(parts) == _N_SIDES and all(map(_is_number, parts))
    if is_whole:
        box = Box(*map(int, parts))
        if box.left <= box.right and box.bottom <= box.top:
            return box
    raise RefusedError(
        400,
        "wrong_box",
        f"The rectangle is “{text[:_SHOWN_CHARS]}”; want four whole numbers: "
        f"{_SIDES}, the smaller ones first, as -2500, 0, 1000, 4000.",
    )


def chosen_of(question: Question, points: MapPoints) -> NDArray[np.bool_] | None:
    """Return which points the address chooses; None where it chooses none.

    Raises
    ------
    RefusedError
        Where it cannot be understood.
    """
    told = {
        name: labels.at(key)
        for name, labels in (
            ("style", points.styles),
            ("artist", points.artists),
            ("cluster", points.clusters),
        )
        if (key := question.get(name))
    }
    box = box_of(question.get("box"))
    if box is not None:
        told["box"] = _within(box, points.places[layer_of(question, points)])
    return np.logical_and.reduce(list(told.values())) if told else None


def nearest_first(
    chosen: Sequence[int] | NDArray[np.intp], places: NDArray[np.int16]
) -> list[int]:
    """Return points in the order of how near they lie to the middle of them all.

    Examples
    --------
    >>> nearest_first([0, 1, 2], np.array([[0, 0], [9, 0], [4, 0]], np.int16))
    [2, 0, 1]
    """
    rows = np.asarray(chosen, np.intp)
    if not len(rows):
        return []
    there = places[rows].astype(np.float64)
    away = ((there - there.mean(axis=0)) ** 2).sum(axis=1)
    found: list[int] = rows[np.argsort(away, kind="stable")].tolist()
    return found


def _within(box: Box, places: NDArray[np.int16]) -> NDArray[np.bool_]:
    x, y = places[:, 0], places[:, 1]
    is_beside = (x >= box.left) & (x <= box.right)
    return np.asarray(is_beside & (y >= box.bottom) & (y <= box.top))


def _one_of(there: Mapping[str, str], told: str, what: str) -> str:
    name = told or next(iter(there))
    if name not in there:
        raise RefusedError(
            400,
            f"wrong_{what}",
            f"There is no such {what}; there are {', '.join(there)}.",
        )
    return name


def _is_number(text: str) -> bool:
    digits = text.removeprefix("-")
    return digits.isascii() and digits.isdecimal() and len(digits) <= _MOST_DIGITS
