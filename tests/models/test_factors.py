"""A listener's factors against the problem that they solve."""

import numpy as np
import pytest

from models.factors import Factors, fold_in, gram_of


def factors(n_tracks: int = 30, n_factors: int = 6, seed: int = 2) -> Factors:
    vectors = np.random.default_rng(seed).normal(size=(n_tracks, n_factors))
    tracks = vectors.astype(np.float32)
    return Factors(tracks, gram_of(tracks), confidence=3.0, regularization=0.2)


ROWS = np.array([2, 5, 11], dtype=np.int32)
WEIGHTS = np.array([1.0, -0.5, 0.25])


def loss(given: Factors, mine: np.ndarray) -> float:
    preference, surer = np.zeros(30), np.ones(30)
    preference[ROWS] = WEIGHTS > 0
    surer[ROWS] += given.confidence * np.abs(WEIGHTS)
    errors = surer * (preference - given.vectors.astype(float) @ mine) ** 2
    return float(errors.sum() + given.regularization * 2 * mine @ mine)


def test_nothing_near_explains_what_was_heard_better() -> None:
    given = factors()
    mine = fold_in(given, ROWS, WEIGHTS)
    least = loss(given, mine)
    rng = np.random.default_rng(1)
    for _ in range(200):
        assert loss(given, mine + rng.normal(scale=1e-3, size=6)) > least


def test_what_is_heard_more_is_liked_more_and_a_skip_less() -> None:
    given = factors()
    without = given.vectors @ fold_in(given, ROWS[:1], WEIGHTS[:1])
    more = given.vectors @ fold_in(given, ROWS[:1], 4 * WEIGHTS[:1])
    skipped = given.vectors @ fold_in(given, ROWS[:2], WEIGHTS[:2])
    assert more[2] > without[2]
    assert abs(skipped[5]) < abs(without[5])


@pytest.mark.parametrize("weights", [[], [-1.0], [0.0]])
def test_who_likes_nothing_has_no_factors(weights: list[float]) -> None:
    given = factors()
    mine = fold_in(given, ROWS[: len(weights)], np.array(weights))
    assert not mine.any()


def test_a_track_that_is_not_known_says_nothing() -> None:
    given = factors()
    given.vectors[5] = 0
    known = Factors(given.vectors, gram_of(given.vectors), 3.0, 0.2)
    both = fold_in(known, ROWS[:2], np.array([1.0, 1.0]))
    np.testing.assert_allclose(both, fold_in(known, ROWS[:1], np.array([1.0])))
