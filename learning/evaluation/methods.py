"""The methods that are evaluated, fitted to plays."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from models.recommenders.base import Recommender
from models.recommenders.baselines import (
    LastHeard,
    Random,
    fit_popular,
    fit_trending,
)
from models.recommenders.learned import (
    FactorTrainer,
    fit_collaborative,
    fit_ease,
    fit_listener_neighbours,
    fit_neighbours,
)
from models.recommenders.plays import Plays
from models.recommenders.sessions import OfSession, fit_followers, fit_sessions_alike
from segue.settings import LearningSettings

EASE_ITEMS: Final = 5_000
"""With more items there is no EASE: its time grows with the third power of them."""
_EASE_REGULARIZATION: Final = 200.0
_TRENDING_HALF_LIFE_S: Final = 7 * 86_400.0
_LISTENERS_ALIKE: Final = 100
_SESSIONS_ALIKE: Final = 200
_OF_SESSIONS: Final = ("collaborative", "neighbours", "content")

BASELINES: Final = ("random", "last heard", "popular", "trending")
"""What a method that has learned something must beat."""


@dataclass(frozen=True)
class Fitting:
    """How methods are fitted.

    Attributes
    ----------
    train : callable
        Finds factors of items.
    content : Recommender, optional
        Where the items' sound is known.
    """

    settings: LearningSettings
    train: FactorTrainer
    has_times: bool
    content: Recommender | None = None


def fit_all(plays: Plays, fitting: Fitting) -> list[Recommender]:
    """Return all methods that these plays allow."""
    ours = fitting.settings
    methods: list[Recommender] = [
        Random(plays.n_items),
        LastHeard(),
        fit_popular(plays),
        fit_collaborative(plays, fitting.train, ours.confidence, ours.regularization),
        fit_neighbours(plays, ours.n_neighbours),
        fit_listener_neighbours(plays, _LISTENERS_ALIKE),
    ]
    if fitting.content is not None:
        methods.append(fitting.content)
    if fitting.has_times:
        methods += [
            fit_trending(plays, _TRENDING_HALF_LIFE_S),
            fit_followers(plays, ours.n_neighbours),
            fit_sessions_alike(plays, _SESSIONS_ALIKE),
        ]
    if plays.n_items <= EASE_ITEMS:
        methods.append(fit_ease(plays, _EASE_REGULARIZATION))
    return methods


def with_sessions(methods: Sequence[Recommender]) -> list[Recommender]:
    """Return the methods, and some of them asked about the present session alone."""
    asked = [OfSession(each) for each in methods if each.name in _OF_SESSIONS]
    return [*methods, *asked]
