"""How good lists are, a number a listener; full ranking, no sampled negatives.

An item is relevant or it is not. Ideal is a list that has relevant items at its first
places, as many as there are or as the list is long.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Floats = NDArray[np.float64]
Rows = NDArray[np.int32]

ACCURACY: Final = ("hit_rate", "recall", "ndcg", "mrr")


def accuracy(lists: Rows, relevant: NDArray[np.bool_]) -> dict[str, Floats]:
    """Return hit rate, recall, nDCG and MRR of each listener's list.

    Parameters
    ----------
    lists : ndarray, int32, shape (n, k)
        Items, best first; -1 where there are no more.
    relevant : ndarray, bool, shape (n, n_items)
        At least one of each listener.
    """
    n, k = lists.shape
    is_hit = relevant[np.arange(n)[:, None], lists] & (lists >= 0)
    n_relevant = relevant.sum(axis=1)
    gains = 1 / np.log2(np.arange(2, k + 2))
    ideal = np.concatenate([[0.0], np.cumsum(gains)])[np.minimum(n_relevant, k)]
    first = np.where(is_hit.any(axis=1), is_hit.argmax(axis=1), np.inf)
    return {
        "hit_rate": is_hit.any(axis=1).astype(np.float64),
        "recall": is_hit.sum(axis=1) / n_relevant,
        "ndcg": (is_hit @ gains) / ideal,
        "mrr": 1 / (first + 1),
    }


def beyond_accuracy(
    lists: Rows,
    n_heard_by: NDArray[np.int64],
    n_listeners: int,
    heard: NDArray[np.bool_],
    units: sparse.csr_array,
) -> dict[str, Floats]:
    """Return what lists are like, whether they are right or not; NaN of an empty one.

    `novelty` is the mean self-information of the listed items in bits (an item that a
    quarter of the listeners heard has 2), `popularity_share` the share of the list that
    is of the most popular tenth, `freshness` the share that the listener had not heard,
    `diversity` one less the mean likeness of two listed items.

    Parameters
    ----------
    n_heard_by : ndarray, int64, shape (n_items,)
        How many of the listeners heard each item; one that nobody did counts as half.
    heard : ndarray, bool, shape (n, n_items)
    units : csr_array, shape (n_items, n)
        Rows of unit length, whose products are the likeness of two items.
    """
    rare = np.log2(n_listeners / np.maximum(n_heard_by, 0.5))
    n_top = max(1, len(n_heard_by) // 10)
    is_top = np.zeros(len(n_heard_by), dtype=bool)
    is_top[np.argsort(-n_heard_by, kind="stable")[:n_top]] = True
    there = lists >= 0
    n_there = np.where(there.any(axis=1), there.sum(axis=1), np.nan)
    rows = np.arange(len(lists))[:, None]
    return {
        "novelty": (rare[lists] * there).sum(axis=1) / n_there,
        "popularity_share": (is_top[lists] & there).sum(axis=1) / n_there,
        "freshness": (~heard[rows, lists] & there).sum(axis=1) / n_there,
        "diversity": np.array([_diversity(line, units) for line in lists]),
    }


def _diversity(line: Rows, units: sparse.csr_array) -> float:
    listed = units[line[line >= 0]]
    n = listed.shape[0]
    if n <= 1:
        return 1.0 if n else float("nan")
    pairs = (listed @ listed.T).toarray()
    return float(1 - (pairs.sum() - np.trace(pairs)) / (n * (n - 1)))


def coverage(lists: Rows, n_items: int) -> float:
    """Return the share of all items that are in any list."""
    return len(np.unique(lists[lists >= 0])) / n_items
