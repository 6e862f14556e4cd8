"""The plane of a map, against scikit-learn's PCA."""

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from models.plane import plane_of


def unit_vectors(n: int, n_dims: int, seed: int = 3) -> NDArray[np.float32]:
    spread = np.linspace(3.0, 0.5, n_dims)
    rows = np.random.default_rng(seed).normal(0.2, spread, (n, n_dims))
    rows /= np.linalg.norm(rows, axis=1)[:, None]
    return np.asarray(rows, dtype=np.float32)


def test_the_plane_is_that_of_the_principal_components() -> None:
    vectors = unit_vectors(2_000, 24)
    pca = PCA(2, svd_solver="full").fit(vectors.astype(np.float64))
    plane = plane_of(vectors)
    assert np.allclose(np.abs(plane.axes), np.abs(pca.components_), atol=1e-6)
    assert np.allclose(plane.mean, pca.mean_, atol=1e-7)
    assert plane.shown == pytest.approx(pca.explained_variance_ratio_.sum())
    expected = pca.transform(vectors.astype(np.float64))
    assert np.allclose(np.abs(plane.place(vectors)), np.abs(expected), atol=1e-6)


def test_the_order_of_the_vectors_and_blocks_turn_nothing_round(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    vectors = unit_vectors(500, 12)
    plane = plane_of(vectors)
    monkeypatch.setattr("models.plane._BLOCK", 7)
    again = plane_of(np.random.default_rng(1).permutation(vectors))
    assert np.allclose(plane.axes, again.axes, atol=1e-6)
    largest = np.abs(plane.axes).argmax(axis=1)
    assert (plane.axes[[0, 1], largest] > 0).all()


def test_what_points_the_other_way_is_turned() -> None:
    line = np.array([[0.0, 0.0], [-3.0, 1.0], [-6.0, 2.0]])
    first = plane_of(line).axes[0]
    assert np.allclose(first, [3 / np.sqrt(10), -1 / np.sqrt(10)])


@pytest.mark.parametrize("shape", [(0, 3), (1, 3), (5, 1), (0, 0)])
def test_too_little_for_a_plane_lies_at_the_middle(shape: tuple[int, int]) -> None:
    vectors = np.ones(shape, dtype=np.float32)
    plane = plane_of(vectors)
    assert plane.axes.shape == (2, shape[1])
    assert plane.shown == 1.0
    assert np.array_equal(plane.place(vectors), np.zeros((shape[0], 2)))
