"""One linear blend of several methods, with weights that a validation period gives."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.recommenders.base import Recommender
from models.recommenders.plays import Histories

_STEPS: Final = (0.0, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.0)
_ROUNDS: Final = 3
_LEAST_GAIN: Final = 1e-6
_FALLBACK_SHARE: Final = 1e-6

Floats = NDArray[np.float64]
Judge = Callable[[Floats], float]
"""Takes the scores of the validation's listeners and returns how good they are."""


@dataclass(frozen=True, eq=False)
class Hybrid:
    """Several methods together; who is new to all of them gets what is popular.

    Attributes
    ----------
    shares : mapping
        By method's name; 0 or more, together 1.
    fallback : str
        The method of `methods` that orders what the blend leaves equal.
    """

    methods: Sequence[Recommender]
    shares: Mapping[str, float]
    fallback: str
    name: str = "hybrid"

    def scores(self, histories: Histories) -> Floats:
        """As `Recommender.scores`."""
        scores = {each.name: each.scores(histories) for each in self.methods}
        return blended(scores, self.shares, self.fallback)


def blended(
    scores: Mapping[str, Floats], shares: Mapping[str, float], fallback: str
) -> Floats:
    """Return the sum of scores, each over its greatest, times its share.

    A millionth of the fallback's orders what is equal.
    """
    total = _FALLBACK_SHARE * over_greatest(scores[fallback])
    for name, share in shares.items():
        if share > 0:
            total = total + share * over_greatest(scores[name])
    return total


def over_greatest(scores: Floats) -> Floats:
    """Return each listener's scores over the greatest, where that is above 0."""
    greatest = scores.max(axis=1, keepdims=True, initial=0.0)
    return np.asarray(scores / np.where(greatest > 0, greatest, 1.0))


def learn_shares(scores: Mapping[str, Floats], judge: Judge) -> dict[str, float]:
    """Return the shares whose blend of scores `judge` likes best.

    One method's share after the other is set to the best of some steps, while the
    others stay, in a few rounds; it begins with the best single method.
    """
    scaled = {name: over_greatest(each) for name, each in scores.items()}
    alone = {name: judge(each) for name, each in scaled.items()}
    first = max(sorted(alone), key=lambda name: alone[name])
    weights = {name: float(name == first) for name in sorted(scaled)}
    best = alone[first]
    for _ in range(_ROUNDS):
        before = best
        for name in weights:
            weights, best = _better_step(name, weights, best, scaled, judge)
        if best - before < _LEAST_GAIN:
            break
    total = sum(weights.values())
    return {name: weight / total for name, weight in weights.items()}


def _better_step(
    name: str,
    weights: dict[str, float],
    best: float,
    scaled: Mapping[str, Floats],
    judge: Judge,
) -> tuple[dict[str, float], float]:
    others = sum(
        (weight * scaled[each] for each, weight in weights.items() if each != name),
        start=np.zeros_like(scaled[name]),
    )
    for step in _STEPS:
        tried = {**weights, name: step}
        if not any(tried.values()):
            continue
        found = judge(others + step * scaled[name])
        if found > best + _LEAST_GAIN:
            weights, best = tried, found
    return weights, best
