"""What follows what in the sessions of all listeners, by window functions.

The rules are those of `models.followers`.
"""

import numpy as np
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from models.followers import MOST_STEPS, N_STEPS, SESSION_GAP_S, SHRINKAGE
from segue.trained_model import Neighbours


def train_followers(listens: DataFrame, n_tracks: int, n_followers: int) -> Neighbours:
    """Return the tracks that follow each track most.

    Parameters
    ----------
    listens : DataFrame
        `(listener, track, weight, at_s, is_play)`.
    """
    heard = listens.where("is_play and weight > 0")
    counts = heard.groupBy("track").agg(F.count("*").alias("n"))
    said = _steps(heard).groupBy("before", "track").agg(F.sum("said").alias("said"))
    both = said.join(counts, "track").join(
        counts.select(F.col("track").alias("before"), F.col("n").alias("n_before")),
        "before",
    )
    could_be = MOST_STEPS * (F.sqrt(F.col("n") * F.col("n_before")) + SHRINKAGE)
    likeness = both.select(
        "before", "track", F.round(F.col("said") / could_be, 9).alias("likeness")
    )
    best_first = Window.partitionBy("before").orderBy(F.desc("likeness"), "track")
    place = F.row_number().over(best_first) - 1
    found = likeness.withColumn("place", place).where(F.col("place") < n_followers)
    table = found.toArrow()
    rows = np.full((n_tracks, n_followers), -1, dtype=np.int32)
    follows = np.zeros((n_tracks, n_followers), dtype=np.float32)
    at = table["before"].to_numpy(), table["place"].to_numpy()
    rows[at], follows[at] = table["track"].to_numpy(), table["likeness"].to_numpy()
    return Neighbours(rows, follows)


def _steps(heard: DataFrame) -> DataFrame:
    """Return `(before, track, said)`: each play with up to five before it."""
    by_time = Window.partitionBy("listener").orderBy("at_s", "track")
    since_s = F.col("at_s") - F.lag("at_s").over(by_time)
    begins = F.coalesce((since_s > SESSION_GAP_S).cast("int"), F.lit(0))
    session = F.sum("begins").over(by_time)
    of_session = Window.partitionBy("listener", "session").orderBy("at_s", "track")
    before = [
        F.struct(
            F.lag("track", distance).over(of_session).alias("before"),
            F.lit(1 / distance).alias("said"),
        )
        for distance in range(1, N_STEPS + 1)
    ]
    plays = heard.withColumn("begins", begins).withColumn("session", session)
    with_steps = plays.select("track", F.array(*before).alias("steps"))
    steps = with_steps.select("track", F.explode("steps").alias("step"))
    return steps.select("step.before", "track", "step.said").where("before != track")
