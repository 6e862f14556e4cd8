"""The shares of taste, factors and neighbours in a score, by what they find."""

from typing import Final

from pyspark.sql import SparkSession

from learning.evaluation.datasets import Dataset
from learning.evaluation.evaluate import tune
from learning.evaluation.splits import split
from learning.training import by_spark
from models.recommenders.base import Recommender
from models.recommenders.content import content_of
from models.recommenders.learned import fit_collaborative, fit_neighbours
from segue.settings import LearningSettings
from segue.track_index import TrackIndex
from segue.trained_model import BLENDED

_LATEST_SHARE: Final = 0.1
_LEAST_LISTENERS: Final = 30


def learn_blend(
    spark: SparkSession, settings: LearningSettings, plays: Dataset, index: TrackIndex
) -> dict[str, float] | None:
    """Return the shares that find most discoveries of the latest tenth of the plays.

    Of an older model: it is learned from the plays before. None where there are too few
    listeners, or nobody discovered anything.
    """
    if plays.plays.n_listeners < _LEAST_LISTENERS:
        return None
    periods = split(plays, 0.0, _LATEST_SHARE)
    past, train = periods.past, by_spark(spark, settings)
    methods: list[Recommender] = [
        content_of(plays.items, index),
        fit_collaborative(past, train, settings.confidence, settings.regularization),
        fit_neighbours(past, settings.n_neighbours),
    ]
    shares = tune(methods, past, periods.future)
    return None if shares is None else {name: shares[name] for name in BLENDED}
