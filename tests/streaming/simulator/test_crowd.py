"""Tastes that jump and drift at the instants that are known."""

import dataclasses

import numpy as np

from streaming.simulator.crowd import create_crowd
from tests.factories import create_index

VECTORS = create_index(n_tracks=50, n_dims=6).vectors
WHO = np.zeros(1, np.int64)


def regions_at(at_s: float, change_s: float = 100.0, drift_s: float = 0.0) -> object:
    crowd = create_crowd("x", 1, 50, 1000.0, np.random.default_rng(4))
    one = dataclasses.replace(
        crowd,
        centres=crowd.centres[:, :2],
        change_s=np.array([[change_s]]),
        drift_s=np.array([[drift_s]]),
    )
    before, after = VECTORS[one.centres[0]]
    found = one.regions_at(WHO, np.array([at_s]), VECTORS)[0]
    assert np.allclose(np.linalg.norm(found, axis=1), 1.0, atol=1e-6)
    share = {"before": before, "after": after}
    return next((k for k, v in share.items() if np.allclose(found, v)), found)


def test_a_jump_is_at_once() -> None:
    assert regions_at(99.9) == "before"
    assert regions_at(100.0) == "after"


def test_a_drift_begins_and_ends_when_it_is_said_to() -> None:
    assert regions_at(99.9, drift_s=50.0) == "before"
    assert regions_at(150.0, drift_s=50.0) == "after"
    halfway = regions_at(125.0, drift_s=50.0)
    assert isinstance(halfway, np.ndarray)


def test_without_changes_a_taste_stays() -> None:
    crowd = create_crowd("x", 3, 50, np.inf, np.random.default_rng(4))
    late = crowd.regions_at(np.arange(3), np.full(3, 1e9), VECTORS)
    assert np.array_equal(late, VECTORS[crowd.centres[:, 0]])


def test_closeness_is_the_cosine_with_the_nearest_region() -> None:
    crowd = create_crowd("x", 1, 50, np.inf, np.random.default_rng(4))
    own = crowd.centres[0, 0, 1:2]
    assert np.isclose(crowd.closeness(WHO, np.zeros(1), own, VECTORS)[0], 1.0)
