"""What follows what in all sessions, found by a task for each block of tracks."""

from functools import lru_cache, partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow.dataset as ds
from numpy.typing import NDArray
from pyspark.sql import SparkSession

from learning.blocks import find_in_blocks
from models.followers import follow_table, nearest_of, sessions_of
from segue.settings import LearningSettings
from segue.trained_model import Neighbours


def train_followers(
    spark: SparkSession, stored: Path, n_tracks: int, settings: LearningSettings
) -> Neighbours:
    """Return the tracks that follow each track most.

    Parameters
    ----------
    stored : Path
        Folder of Parquet, `(listener, track, weight, at_s, is_play)`, where each task
        can read it.
    """
    n_followers = settings.n_neighbours
    find = partial(_followers_between, stored, n_tracks, n_followers)
    return find_in_blocks(spark, n_tracks, n_followers, find)


def _followers_between(
    stored: Path, n_tracks: int, n_followers: int, first: int, last: int
) -> Neighbours:
    heard = _heard_in(stored)
    table = follow_table(heard.sessions, heard.tracks, n_tracks, first, last)
    return nearest_of(table, n_followers)


class _Heard(NamedTuple):
    """Plays that were heard out, those of a session together, by time."""

    sessions: NDArray[np.int64]
    tracks: NDArray[np.int32]


@lru_cache(maxsize=1)
def _heard_in(stored: Path) -> _Heard:
    """Return what all blocks need; each worker reads it once."""
    is_heard = (ds.field("weight") > 0) & ds.field("is_play")
    plays = ds.dataset(stored, format="parquet").to_table(
        columns=["listener", "track", "at_s"], filter=is_heard
    )
    listeners, tracks, at_s = (
        plays[name].to_numpy() for name in ("listener", "track", "at_s")
    )
    order = np.lexsort((tracks, at_s, listeners))
    return _Heard(sessions_of(listeners[order], at_s[order]), tracks[order])
