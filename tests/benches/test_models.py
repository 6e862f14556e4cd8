"""Spark's factors are worth what those of an independent library are."""

from typing import TYPE_CHECKING

import pytest

from benches.models import by_implicit, ndcg_of, some_plays
from learning.training import by_spark
from segue.settings import LearningSettings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = [pytest.mark.spark, pytest.mark.slow]


def test_lists_are_as_good_as_those_of_implicit(spark: "SparkSession") -> None:
    settings = LearningSettings(n_factors=16, n_iterations=8)
    plays = some_plays(120_000, 3_000, 1_500)
    is_past = plays.at_s < 100_000
    past, future = plays.pick(is_past), plays.pick(~is_past)
    ours, theirs = (
        ndcg_of(train(past.table()), settings, past, future)
        for train in (by_spark(spark, settings), by_implicit(settings))
    )
    assert theirs > 0.05
    assert ours >= 0.98 * theirs
