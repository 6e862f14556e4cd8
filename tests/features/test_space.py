from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from features.space import fit_space, read_space, space_version, transform, write_space

matrices = arrays(
    np.float32,
    st.tuples(st.integers(1, 12), st.just(5)),
    elements=st.floats(-1500, 1500, width=32),
)


@given(matrices)
def test_rows_are_finite_and_of_unit_length_or_zero(vectors: np.ndarray) -> None:
    points = transform(fit_space(vectors), vectors)
    lengths = np.linalg.norm(points, axis=1)
    assert points.dtype == np.float32
    assert np.isfinite(points).all()
    assert np.all((np.abs(lengths - 1) < 1e-4) | (lengths == 0))


def test_points_are_the_z_scores_of_the_catalogue(rng: np.random.Generator) -> None:
    vectors = rng.normal(-300, 50, (40, 100)).astype(np.float32)
    z = (vectors - vectors.mean(axis=0)) / vectors.std(axis=0)
    expected = z / np.linalg.norm(z, axis=1)[:, None]
    points = transform(fit_space(vectors), vectors)
    np.testing.assert_allclose(points, expected, atol=1e-4)


def test_loudness_does_not_drown_the_rest() -> None:
    loudness = np.array([-900.0, -100.0, -880.0, -120.0])
    timbre = np.array([1.0, 1.1, -1.0, -1.1])
    vectors = np.column_stack([loudness, timbre, -timbre]).astype(np.float32)
    cosine = (points := transform(fit_space(vectors), vectors)) @ points.T
    assert cosine[0, 1] > cosine[0, 2]


def test_a_coefficient_that_never_differs_counts_nothing() -> None:
    vectors = np.array([[1, 0.1], [2, 0.1], [3, 0.1]], dtype=np.float32)
    assert fit_space(vectors).scale[1] == 0


def test_one_track_alone_lies_at_the_origin() -> None:
    vectors = np.array([[-700.0, 3.0]], dtype=np.float32)
    assert not transform(fit_space(vectors), vectors).any()


def test_a_space_is_read_as_it_was_written(tmp_path: Path) -> None:
    space = fit_space(np.arange(12, dtype=np.float32).reshape(4, 3) ** 2)
    write_space(tmp_path / "space.json", space)
    assert read_space(tmp_path / "space.json") == space


def test_the_version_of_a_space_changes_with_its_contents() -> None:
    vectors = np.arange(6, dtype=np.float32).reshape(3, 2)
    same, other = fit_space(vectors), fit_space(vectors * 2)
    assert space_version(fit_space(vectors)) == space_version(same)
    assert space_version(other) != space_version(same)
