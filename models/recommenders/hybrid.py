"""One linear blend of several methods, with weights that a validation period gives."""

import math
from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.scaling import over_greatest

_STEPS: Final = (0.0, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.0)
_ROUNDS: Final = 3
_LEAST_GAIN: Final = 1e-6
_FALLBACK_SHARE: Final = 1e-6

Floats = NDArray[np.float64]
Judge = Callable[[Floats], Floats]
"""Takes the scores of the validation's listeners; returns how good each one's are."""


def blended(
    scores: Mapping[str, Floats], shares: Mapping[str, float], fallback: str
) -> Floats:
    """Return the sum of scores, each over its greatest amount, times its share.

    A millionth of the fallback's orders what is equal: who is new to all other methods
    gets its list.

    Parameters
    ----------
    shares : mapping
        By method's name; 0 or more, together 1.
    """
    total = _FALLBACK_SHARE * over_greatest(scores[fallback])
    for name, share in shares.items():
        if share > 0:
            total = total + share * over_greatest(scores[name])
    return total


def learn_shares(scores: Mapping[str, Floats], judge: Judge) -> dict[str, float]:
    """Return the shares whose sum of scores `judge` likes best.

    One method's share after the other is set to the best of some steps, while the
    others stay, in a few rounds; it begins with the best single method. A step is taken
    where the mean gains more than its standard error: what a few listeners gain by
    chance, others lose.

    Parameters
    ----------
    scores : mapping
        By method's name, on one scale.
    """
    alone = {name: judge(each) for name, each in scores.items()}
    first = max(sorted(alone), key=lambda name: float(alone[name].mean()))
    weights = {name: float(name == first) for name in sorted(scores)}
    best = alone[first]
    for _ in range(_ROUNDS):
        before = best
        for name in weights:
            weights, best = _better_step(name, weights, best, scores, judge)
        if not _is_better(best, before):
            break
    total = sum(weights.values())
    return {name: weight / total for name, weight in weights.items()}


def _better_step(
    name: str,
    weights: dict[str, float],
    best: Floats,
    scores: Mapping[str, Floats],
    judge: Judge,
) -> tuple[dict[str, float], Floats]:
    others = sum(
        (weight * scores[each] for each, weight in weights.items() if each != name),
        start=np.zeros_like(scores[name]),
    )
    for step in _STEPS:
        tried = {**weights, name: step}
        if not any(tried.values()):
            continue
        found = judge(others + step * scores[name])
        if _is_better(found, best):
            weights, best = tried, found
    return weights, best


def _is_better(found: Floats, before: Floats) -> bool:
    gains = found - before
    standard_error = float(gains.std()) / math.sqrt(len(gains))
    return float(gains.mean()) > max(_LEAST_GAIN, standard_error)
