"""Train a model: factors by Spark MLlib's ALS, neighbours by blocks of tracks.

What is kept of plays lies in Parquet below the model's folder while it is trained;
every task reads what it needs from there.
"""

from functools import lru_cache, partial
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
from numpy.typing import NDArray
from pyspark.ml.recommendation import ALS
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from scipy import sparse

from learning.blocks import find_in_blocks
from models.neighbours import bm25_units, find_neighbours
from models.recommenders.learned import FactorTrainer
from segue.errors import ModelError
from segue.settings import LearningSettings
from segue.trained_model import Neighbours

_SEED: Final = 7


def track_ids_of(plays: DataFrame) -> list[str]:
    """Return the tracks that somebody played, ascending.

    Raises
    ------
    ModelError
        When nobody heard one to the half, or liked one.
    """
    heard = plays.where(F.col("weight") > 0).select("track_id").distinct()
    track_ids = sorted(heard.toArrow()["track_id"].to_pylist())
    if not track_ids:
        raise ModelError(
            "no play that says something for a track; a model needs tracks that were "
            "heard to more than the half, or liked"
        )
    return track_ids


def with_numbers(
    spark: SparkSession, plays: DataFrame, track_ids: list[str]
) -> DataFrame:
    """Return plays or listens of `track_ids`; a `track` is its row among these."""
    numbers = pa.table(
        {"track_id": track_ids, "track": pa.array(range(len(track_ids)), pa.int32())}
    )
    tracks = F.broadcast(spark.createDataFrame(numbers))
    return plays.join(tracks, "track_id").drop("track_id")


def train_factors(
    numbered: DataFrame, n_tracks: int, settings: LearningSettings
) -> NDArray[np.float32]:
    """Return the factors of each track, of shape (n_tracks, n_factors).

    Parameters
    ----------
    numbered : DataFrame
        As `with_numbers` returns it. What speaks against a track counts as a 0 of
        which one is so much the surer.
    """
    liked = numbered.where(F.col("weight") > 0)
    # who likes nothing, or is liked by nobody, has factors of 0, which no system gives
    for name in ("listener", "track"):
        numbered = numbered.join(liked.select(name).distinct(), name, "left_semi")
    factors = np.zeros((n_tracks, settings.n_factors), dtype=np.float32)
    if numbered.isEmpty():
        return factors
    n_blocks = max(2, numbered.sparkSession.sparkContext.defaultParallelism)
    als = ALS(
        rank=settings.n_factors,
        maxIter=settings.n_iterations,
        regParam=settings.regularization,
        alpha=settings.confidence,
        implicitPrefs=True,
        userCol="listener",
        itemCol="track",
        ratingCol="weight",
        numUserBlocks=n_blocks,
        numItemBlocks=n_blocks,
        seed=_SEED,
    )
    learned = als.fit(numbered).itemFactors.toArrow()
    flat = learned["features"].combine_chunks().flatten().to_numpy()
    factors[learned["id"].to_numpy()] = flat.reshape(len(learned), settings.n_factors)
    return factors


def by_spark(spark: SparkSession, settings: LearningSettings) -> FactorTrainer:
    """Return what finds the factors of items of a table that fits in memory."""

    def train(table: sparse.csr_array) -> NDArray[np.float32]:
        n_listeners, n_items = table.shape
        listeners = np.repeat(np.arange(n_listeners), np.diff(table.indptr))
        numbered = pa.table(
            {
                "listener": listeners.astype(np.int32),
                "track": table.indices.astype(np.int32),
                "weight": table.data,
            }
        )
        plays = spark.createDataFrame(numbered).cache()
        try:
            return train_factors(plays, n_items, settings)
        finally:
            plays.unpersist()

    return train


def train_neighbours(
    spark: SparkSession, stored: Path, n_tracks: int, settings: LearningSettings
) -> Neighbours:
    """Return the neighbours of each track; a task for each block of tracks.

    Parameters
    ----------
    stored : Path
        Folder of Parquet with what `with_numbers` returns, where each task can read it.
    """
    n_neighbours = min(settings.n_neighbours, n_tracks - 1)
    if n_neighbours < 1:
        nothing = np.full((n_tracks, 1), -1, dtype=np.int32)
        return Neighbours(nothing, np.zeros((n_tracks, 1), dtype=np.float32))
    find = partial(_neighbours_between, stored, n_tracks, n_neighbours)
    return find_in_blocks(spark, n_tracks, n_neighbours, find)


def _neighbours_between(
    stored: Path, n_tracks: int, n_neighbours: int, first: int, last: int
) -> Neighbours:
    return find_neighbours(_units_of(stored, n_tracks), n_neighbours, first, last)


@lru_cache(maxsize=1)
def _units_of(stored: Path, n_tracks: int) -> sparse.csc_array:
    """Return what all blocks need; each worker makes it once."""
    return bm25_units(read_liked(stored, n_tracks))


def read_liked(stored: Path, n_tracks: int) -> sparse.csr_array:
    """Return what speaks for tracks, listeners by tracks, out of its Parquet."""
    is_liked = ds.field("weight") > 0
    plays = ds.dataset(stored, format="parquet").to_table(filter=is_liked)
    listeners, numbers = np.unique(plays["listener"].to_numpy(), return_inverse=True)
    shape = (len(listeners), n_tracks)
    at = (numbers.ravel(), plays["track"].to_numpy())
    return sparse.csr_array((plays["weight"].to_numpy(), at), shape)
