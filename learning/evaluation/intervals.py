"""Intervals of means by the bootstrap: how far other listeners might move a figure."""

import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

_SEED: Final = 5
_TAIL: Final = 0.025
# a thousand draws
_ROUNDS: Final = 20
_ROWS_AT_ONCE: Final = 50

Floats = NDArray[np.float64]


class Interval(NamedTuple):
    """A mean over listeners and the 95 % interval around it."""

    value: float
    low: float
    high: float


def interval_of(values: Floats) -> Interval:
    """Return mean and interval of a figure of each listener; NaN does not count.

    Listeners are drawn anew a thousand times, with the same draws for all figures of as
    many listeners, so that the difference of two has an interval of its own.
    """
    known = values[~np.isnan(values)]
    if not len(known):
        return Interval(float("nan"), float("nan"), float("nan"))
    rng = np.random.default_rng(_SEED)
    shape = (_ROWS_AT_ONCE, len(known))
    drawn = (rng.integers(len(known), size=shape) for _ in range(_ROUNDS))
    means = np.concatenate([known[each].mean(axis=1) for each in drawn])
    low, high = np.quantile(means, [_TAIL, 1 - _TAIL])
    return Interval(float(known.mean()), float(low), float(high))


def gain_of(values: Floats, others: Floats) -> Interval:
    """Return by how much the first figure is greater, listener by listener."""
    return interval_of(values - others)


def rounded(values: dict[str, float], places: int = 6) -> dict[str, float | None]:
    """Return numbers as JSON takes them; None for one that there is not."""
    return {k: None if math.isnan(v) else round(v, places) for k, v in values.items()}
