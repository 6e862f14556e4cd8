"""Metrics against trec_eval, and by hand."""

from collections import defaultdict

import numpy as np
import pytest
import pytrec_eval
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import sparse

from learning.evaluation.intervals import gain_of, interval_of
from learning.evaluation.metrics import accuracy, beyond_accuracy, coverage
from models.recommenders.base import best_items

N_ITEMS = 15


@given(
    arrays(np.int8, (5, N_ITEMS), elements=st.integers(0, 1)),
    arrays(np.int8, (5, N_ITEMS), elements=st.integers(-9, 9)),
    arrays(np.bool_, (5, N_ITEMS)),
    st.integers(1, N_ITEMS),
)
def test_accuracy_is_that_of_trec_eval(
    wanted: np.ndarray, scores: np.ndarray, excluded: np.ndarray, k: int
) -> None:
    relevant = wanted.astype(bool)
    relevant[:, 0] = True  # at least one
    lists = best_items(scores.astype(float), k, excluded)
    told = accuracy(lists, relevant)
    qrel = {
        f"q{n}": {f"d{item}": int(is_so) for item, is_so in enumerate(line)}
        for n, line in enumerate(relevant)
    }
    run: dict[str, dict[str, float]] = defaultdict(dict)
    for n, line in enumerate(lists):
        for place, item in enumerate(line):
            if item >= 0:
                run[f"q{n}"][f"d{item}"] = float(k - place)
    measures = {f"ndcg_cut.{k}", f"recall.{k}", f"success.{k}", "recip_rank"}
    found = pytrec_eval.RelevanceEvaluator(qrel, measures).evaluate(dict(run))
    for name, theirs in (
        ("ndcg", f"ndcg_cut_{k}"),
        ("recall", f"recall_{k}"),
        ("hit_rate", f"success_{k}"),
        ("mrr", "recip_rank"),
    ):
        expected = [found.get(f"q{n}", {}).get(theirs, 0.0) for n in range(5)]
        np.testing.assert_allclose(told[name], expected, atol=1e-9)


@given(
    arrays(np.int8, (4, N_ITEMS), elements=st.integers(-3, 3)),
    arrays(np.bool_, (4, N_ITEMS)),
    st.integers(1, N_ITEMS + 3),
)
def test_best_items_are_those_of_a_full_sort(
    scores: np.ndarray, excluded: np.ndarray, k: int
) -> None:
    lists = best_items(scores.astype(float), k, excluded)
    for line, out, row in zip(scores, excluded, lists, strict=True):
        order = sorted(range(N_ITEMS), key=lambda item: (-int(line[item]), item))
        expected = [item for item in order if not out[item]][:k]
        assert [item for item in row if item >= 0] == expected


def test_who_has_nothing_to_say_gets_no_better_list_by_the_order_of_items() -> None:
    """In the order of their numbers the first would be in every list."""
    nothing, out = np.zeros((400, 50)), np.zeros((400, 50), dtype=bool)
    lists = best_items(nothing, 10, out, np.arange(400))
    counts = np.bincount(lists.ravel(), minlength=50)
    assert abs(counts - 80).max() < 5 * np.sqrt(80 * 0.8)
    again = best_items(nothing[:7], 10, out[:7], np.arange(400)[:7])
    assert (again == lists[:7]).all()
    first = nothing.copy()
    first[:, 3] = 1
    assert (best_items(first, 10, out, np.arange(400))[:, 0] == 3).all()


def test_what_lists_are_like_by_hand() -> None:
    lists = np.array([[0, 1], [2, -1], [-1, -1]], dtype=np.int32)
    n_heard_by = np.array([4, 2, 1, 0])
    heard = np.array([[True, False, False, False]] * 3)
    units = sparse.csr_array(np.array([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0], [0, 0]]))
    told = beyond_accuracy(lists, n_heard_by, 8, heard, units)
    np.testing.assert_allclose(told["novelty"], [1.5, 3.0, np.nan])
    np.testing.assert_allclose(told["popularity_share"], [0.5, 0.0, np.nan])
    np.testing.assert_allclose(told["freshness"], [0.5, 1.0, np.nan])
    np.testing.assert_allclose(told["diversity"], [0.4, 1.0, np.nan])
    assert coverage(lists, 4) == 0.75


def test_an_interval_covers_the_mean_that_it_is_of() -> None:
    rng = np.random.default_rng(3)
    covered = 0
    for _ in range(200):
        found = interval_of(rng.exponential(2.0, size=60))
        assert found.low < found.value < found.high
        covered += found.low <= 2.0 <= found.high
    # 95 of 100 are wanted; the bootstrap of 60 skewed values gives a little less
    assert 176 <= covered <= 199


def test_what_is_unknown_does_not_count() -> None:
    assert interval_of(np.array([1.0, np.nan, 1.0])) == (1.0, 1.0, 1.0)
    assert np.isnan(interval_of(np.array([np.nan]))).all()


def test_a_gain_is_of_the_same_listeners() -> None:
    rng = np.random.default_rng(4)
    theirs = rng.normal(0, 10, size=100)
    gain = gain_of(theirs + 0.5, theirs)
    assert gain == pytest.approx((0.5, 0.5, 0.5))
