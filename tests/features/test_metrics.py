import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from features.metrics import (
    NO_TRACK,
    bootstrap_interval,
    evenly_spaced,
    k_occurrence,
    nearest,
    precision_at,
    skewness,
)


def unit_rows(rng: np.random.Generator, n: int, n_dims: int = 5) -> NDArray[np.float32]:
    points = rng.normal(size=(n, n_dims))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    return points.astype(np.float32)


def by_hand(
    points: NDArray[np.float32],
    scales: NDArray[np.float32],
    query: int,
    k: int,
    recordings: NDArray[np.intp],
) -> list[int]:
    scored = [
        (1 - (1 - float(points[query] @ points[row])) / float(scales[row]), row)
        for row in range(len(points))
        if recordings[row] != recordings[query]
    ]
    best = [row for _, row in sorted(scored, key=lambda each: (-each[0], each[1]))]
    return (best + [NO_TRACK] * k)[:k]


@pytest.mark.parametrize("n", [1, 2, 7, 300])
def test_the_nearest_are_those_of_a_search_by_hand(
    rng: np.random.Generator, n: int
) -> None:
    points = unit_rows(rng, n)
    scales = rng.uniform(0.3, 3.0, size=n).astype(np.float32)
    recordings = rng.integers(0, max(1, n - n // 4), size=n)
    queries = np.arange(n)
    found = nearest(points, scales, queries, 6, recordings)
    assert found.tolist() == [
        by_hand(points, scales, query, 6, recordings) for query in range(n)
    ]


def test_a_track_is_not_its_own_neighbour_and_copies_are_only_with_recordings(
    rng: np.random.Generator,
) -> None:
    points = unit_rows(rng, 20)
    points[7] = points[3]
    ones = np.ones(20, dtype=np.float32)
    assert nearest(points, ones, np.array([3]), 1).tolist() == [[7]]
    recordings = np.arange(20)
    recordings[7] = 3
    without = nearest(points, ones, np.array([3]), 19, recordings)[0].tolist()
    assert 3 not in without
    assert 7 not in without
    assert without[18] == NO_TRACK


def test_a_scale_moves_a_track_away(rng: np.random.Generator) -> None:
    points, scales = unit_rows(rng, 30), np.ones(30, dtype=np.float32)
    first = int(nearest(points, scales, np.array([0]), 1)[0, 0])
    scales[first] = 0.01
    assert nearest(points, scales, np.array([0]), 29)[0, -1] == first


def test_what_is_no_number_is_nobodys_neighbour(rng: np.random.Generator) -> None:
    points = unit_rows(rng, 6)
    points[2] = np.nan
    found = nearest(points, np.ones(6, dtype=np.float32), np.array([0, 2]), 5)
    assert sorted(found[0].tolist()) == [NO_TRACK, 1, 3, 4, 5]
    assert found[1].tolist() == [NO_TRACK] * 5


def test_precision_counts_places_that_are_empty_as_misses() -> None:
    labels = np.array([0, 0, 0, 1])
    neighbours = np.array([[1, 2, NO_TRACK], [3, 0, 2]])
    queries = np.array([0, 1])
    assert precision_at(neighbours, labels, queries, 1).tolist() == [1.0, 0.0]
    assert precision_at(neighbours, labels, queries, 3).tolist() == [2 / 3, 2 / 3]
    # the last label must not be taken for that of an empty place
    assert precision_at(np.array([[NO_TRACK]]), labels, np.array([3]), 1) == 0


def test_every_place_of_every_list_is_counted(rng: np.random.Generator) -> None:
    points = unit_rows(rng, 50)
    ones = np.ones(50, dtype=np.float32)
    counts = k_occurrence(nearest(points, ones, np.arange(50), 10), 50)
    assert counts.sum() == 500
    assert k_occurrence(np.array([[1, NO_TRACK]]), 3).tolist() == [0, 1, 0]
    lists = [by_hand(points, ones, query, 10, np.arange(50)) for query in range(50)]
    assert counts.tolist() == [sum(row in each for each in lists) for row in range(50)]


@given(st.lists(st.integers(0, 100), min_size=2, max_size=40))
def test_skewness_is_that_of_its_definition(values: list[int]) -> None:
    mean = math.fsum(values) / len(values)
    second = math.fsum((v - mean) ** 2 for v in values) / len(values)
    third = math.fsum((v - mean) ** 3 for v in values) / len(values)
    wanted = third / second**1.5 if len(set(values)) > 1 else 0.0
    assert skewness(np.array(values)) == pytest.approx(wanted, abs=1e-9)


def test_the_interval_holds_the_true_mean_as_often_as_it_says() -> None:
    rng = np.random.default_rng(11)
    n_held = 0
    for _ in range(200):
        low, high = bootstrap_interval((rng.random(80) < 0.3).astype(np.float64), rng)
        n_held += low <= 0.3 <= high
    assert 180 <= n_held <= 199


def test_the_interval_is_about_that_of_the_normal_distribution() -> None:
    values = np.random.default_rng(5).normal(size=4000)
    low, high = bootstrap_interval(values, np.random.default_rng(6), n_resamples=4000)
    reach = 1.96 * values.std() / np.sqrt(4000)
    assert low == pytest.approx(values.mean() - reach, abs=0.1 * reach)
    assert high == pytest.approx(values.mean() + reach, abs=0.1 * reach)


def test_the_interval_is_that_of_the_seed() -> None:
    values = np.arange(30.0)
    first, again, other = (
        bootstrap_interval(values, np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    assert first == again != other


@given(st.integers(1, 5000), st.integers(1, 300))
def test_rows_are_spread_evenly_and_come_once(n_rows: int, at_most: int) -> None:
    rows = evenly_spaced(n_rows, at_most)
    assert len(rows) == min(n_rows, at_most)
    gaps = np.diff(rows)
    assert rows[0] == 0
    assert (gaps > 0).all()
    if len(rows) > 1:
        assert rows[-1] == n_rows - 1
        assert gaps.max() - gaps.min() <= 1
