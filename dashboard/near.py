"""Tracks near to one: by their sound, and by who plays them."""

from bisect import bisect_left
from pathlib import Path

import numpy as np

from models.nearest import nearest_rows
from segue.errors import IndexMissingError, ModelError
from segue.track_index import read_track_index
from segue.trained_model import FOLDER, read_model


def sounding_like(home: Path, track_id: str, n: int) -> list[str]:
    """Return up to `n` tracks that sound most like one, hubs corrected.

    None where it has no vector yet.
    """
    try:
        index = read_track_index(home / "index")
    except IndexMissingError:
        return []
    row = index.row_of.get(track_id)
    if row is None:
        return []
    own = np.array([row], dtype=np.int32)
    rows = nearest_rows(index.vectors[own], index, n, [own])[0]
    return [index.track_ids[each] for each in rows if each >= 0]


def played_with(home: Path, track_id: str, n: int) -> list[str]:
    """Return up to `n` tracks that the listeners of one play, the surest first.

    None where no model is trained, or it does not know the track.
    """
    try:
        model = read_model(home / FOLDER)
    except ModelError:
        return []
    at = bisect_left(model.track_ids, track_id)
    if at == len(model.track_ids) or model.track_ids[at] != track_id:
        return []
    rows = model.neighbours.rows[at][:n]
    return [model.track_ids[each] for each in rows if each >= 0]
