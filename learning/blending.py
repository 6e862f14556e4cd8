"""The shares of taste and of what others play in a score, by what they find."""

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pyspark.sql import SparkSession

from learning.evaluation.datasets import Dataset
from learning.evaluation.evaluate import exam_of
from learning.evaluation.intervals import interval_of, rounded
from learning.evaluation.judging import going_on
from learning.evaluation.sessions import CONTINUATION, continuation_ground
from learning.evaluation.splits import split
from learning.training import by_spark
from models.recommenders.content import content_of
from models.recommenders.hybrid import learn_shares
from models.recommenders.learned import fit_collaborative, fit_neighbours
from models.recommenders.sessions import fit_followers
from models.scaling import over_greatest
from segue.settings import LearningSettings
from segue.track_index import TrackIndex
from segue.trained_model import BLENDED

Floats = NDArray[np.float64]
_LATEST_SHARE: Final = 0.1
_LEAST_LISTENERS: Final = 30
_LEAST_TASTE: Final = 0.2
"""A track that nobody has played can only be recommended for its sound."""


class Learnt(NamedTuple):
    """What the latest plays gave.

    Attributes
    ----------
    shares : mapping
        Of each part that a model has; what is left is that of the taste.
    ndcg : mapping
        Of ten tracks, with its interval: of each part alone, of `content`, which is the
        taste, and of the `blend` of all. The shares were chosen by it, so it flatters
        the last a little.
    n_listeners : int
        Whose sessions these are.
    """

    shares: Mapping[str, float]
    ndcg: Mapping[str, Mapping[str, float | None]]
    n_listeners: int


def learn_blend(
    spark: SparkSession, settings: LearningSettings, plays: Dataset, index: TrackIndex
) -> Learnt | None:
    """Return the shares that find most of how sessions go on in the latest tenth.

    Of each listener's first session there the first half is known, as in a list that is
    made while it lasts; of an older model, learned from the plays before. Taste is here
    what whole histories say, without horizons. None where there are too few listeners
    or no sessions.
    """
    if plays.plays.n_listeners < _LEAST_LISTENERS:
        return None
    periods = split(plays, 0.0, _LATEST_SHARE)
    going = continuation_ground(periods.past, periods.future)
    exam = exam_of(going, CONTINUATION, going_on(CONTINUATION))
    if exam is None:
        return None
    past, train = periods.past, by_spark(spark, settings)
    others = (
        fit_collaborative(past, train, settings.confidence, settings.regularization),
        fit_neighbours(past, settings.n_neighbours),
        fit_followers(past, settings.n_neighbours),
    )
    # on the scales of `models.scores`: of all, only the taste is what it is
    history = exam.history.over_heaviest()
    scores = {each.name: over_greatest(each.scores(history)) for each in others}
    scores["content"] = content_of(plays.items, index).scores(history)
    shares = with_taste(learn_shares(scores, exam.judge))
    whole = {**scores, "blend": _together(scores, shares)}
    found = {name: interval_of(exam.judge(each)) for name, each in whole.items()}
    told = {name: rounded(each._asdict(), 4) for name, each in found.items()}
    return Learnt({name: shares[name] for name in BLENDED}, told, exam.n_listeners)


def with_taste(shares: Mapping[str, float]) -> dict[str, float]:
    """Return shares of which the taste's is not too small.

    Examples
    --------
    >>> with_taste({"content": 0.0, "neighbours": 0.5, "followers": 0.5})
    {'content': 0.2, 'neighbours': 0.4, 'followers': 0.4}
    """
    lacking = _LEAST_TASTE - shares["content"]
    if lacking <= 0:
        return dict(shares)
    kept = (1 - _LEAST_TASTE) / (1 - shares["content"])
    others = {name: kept * share for name, share in shares.items()}
    return others | {"content": _LEAST_TASTE}


def _together(scores: Mapping[str, Floats], shares: Mapping[str, float]) -> Floats:
    total = sum(share * scores[name] for name, share in shares.items())
    return np.asarray(total, dtype=np.float64)
