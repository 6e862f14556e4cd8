from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from features.space import (
    BLOCK_WEIGHTS,
    fit_space,
    hub_scales,
    read_space,
    space_version,
    transform,
    write_space,
)
from features.table import BLOCKS

NOW = datetime(2026, 5, 3, tzinfo=UTC)
ALIKE = {"a": 1.0}
matrices = arrays(
    np.float32,
    st.tuples(st.integers(1, 12), st.just(5)),
    elements=st.floats(-1500, 1500, width=32),
)


def test_every_block_that_counts_is_in_the_table() -> None:
    assert set(BLOCK_WEIGHTS) <= set(BLOCKS)


@given(matrices)
def test_rows_are_finite_and_of_unit_length_or_zero(vectors: np.ndarray) -> None:
    space = fit_space({"a": vectors}, NOW, ALIKE)
    points = transform(space, {"a": vectors})
    lengths = np.linalg.norm(points, axis=1)
    assert points.dtype == np.float32
    assert np.isfinite(points).all()
    assert np.all((np.abs(lengths - 1) < 1e-4) | (lengths == 0))
    scales = hub_scales(space, points)
    assert np.all((scales >= np.float32(0.1)) & (scales <= np.float32(10)))


def test_points_are_half_whitened_z_scores(rng: np.random.Generator) -> None:
    mixed = rng.normal(size=(60, 4)) @ rng.normal(size=(4, 4))
    vectors = (mixed * 50 - 300).astype(np.float32)
    z = (vectors - vectors.mean(axis=0)) / vectors.std(axis=0)
    # covariance ** -1/4, the symmetric root: a turn of the same points
    variances, axes = np.linalg.eigh(np.cov(z.T, bias=True))
    expected = z @ axes / variances**0.25 @ axes.T
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    points = transform(fit_space({"a": vectors}, NOW, ALIKE), {"a": vectors})
    np.testing.assert_allclose(points @ points.T, expected @ expected.T, atol=1e-4)


def test_a_block_counts_by_its_weight_and_not_by_its_size(
    rng: np.random.Generator,
) -> None:
    one, many = rng.normal(size=(200, 1)), rng.normal(size=(200, 16))
    blocks = {"a": one.astype(np.float32), "b": many.astype(np.float32)}
    space = fit_space(blocks, NOW, {"a": 1.0, "b": 1.0})
    scores = (np.concatenate([one, many], axis=1) - space.mean) * space.scale
    assert scores[:, 0].var() == pytest.approx(scores[:, 1:].var(axis=0).sum())
    heavier = fit_space(blocks, NOW, {"a": 4.0, "b": 1.0})
    np.testing.assert_allclose(heavier.scale[0], 2 * space.scale[0])


def test_loudness_does_not_drown_the_rest() -> None:
    loudness = np.array([-900.0, -100.0, -880.0, -120.0])
    timbre = np.array([1.0, 1.1, -1.0, -1.1])
    vectors = np.column_stack([loudness, timbre, -timbre]).astype(np.float32)
    space = fit_space({"a": vectors}, NOW, ALIKE)
    cosine = (points := transform(space, {"a": vectors})) @ points.T
    assert cosine[0, 1] > cosine[0, 2]


def test_a_dimension_that_never_differs_counts_nothing() -> None:
    vectors = np.array([[1, 0.1], [2, 0.1], [3, 0.1]], dtype=np.float32)
    assert fit_space({"a": vectors}, NOW, ALIKE).scale[1] == 0


def test_one_track_alone_lies_at_the_origin() -> None:
    vectors = {"a": np.array([[-700.0, 3.0]], dtype=np.float32)}
    space = fit_space(vectors, NOW, ALIKE)
    points = transform(space, vectors)
    assert not points.any()
    assert hub_scales(space, points).tolist() == [1.0]


def crowd_and_far_ones(rng: np.random.Generator) -> np.ndarray:
    crowd = rng.normal(size=(300, 6)) * 0.1 + [3, 0, 0, 0, 0, 0]
    return np.concatenate([crowd, rng.normal(size=(100, 6))]).astype(np.float32)


def test_tracks_in_a_crowd_have_small_scales(rng: np.random.Generator) -> None:
    vectors = {"a": crowd_and_far_ones(rng)}
    space = fit_space(vectors, NOW, ALIKE)
    scales = hub_scales(space, transform(space, vectors))
    assert np.median(scales) == pytest.approx(1, abs=0.05)
    assert np.median(scales[:300]) < 0.5 * np.median(scales[300:])


def test_scales_are_mean_distances_to_the_nearest(rng: np.random.Generator) -> None:
    vectors = {"a": rng.normal(size=(80, 6)).astype(np.float32)}
    space = fit_space(vectors, NOW, ALIKE)
    points = transform(space, vectors)
    away = 1 - (exact := points.astype(np.float64)) @ exact.T
    np.fill_diagonal(away, np.inf)
    distances = np.sort(away, axis=1)[:, :10].mean(axis=1)
    expected = distances / np.median(distances)
    np.testing.assert_allclose(hub_scales(space, points), expected, rtol=1e-3)


def test_copies_of_a_track_do_not_make_it_a_hub(rng: np.random.Generator) -> None:
    vectors = rng.normal(size=(100, 6)).astype(np.float32)
    space = fit_space({"a": vectors}, NOW, ALIKE)
    crowded = replace(
        space, reference=np.concatenate([space.reference, space.reference[:1]])
    )
    first = transform(space, {"a": vectors[:1]})
    np.testing.assert_allclose(
        hub_scales(crowded, first), hub_scales(space, first), rtol=1e-5
    )


def test_a_space_is_read_as_it_was_written(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    vectors = {"a": rng.normal(size=(9, 3)).astype(np.float32)}
    space = fit_space(vectors, NOW, ALIKE)
    write_space(tmp_path, space)
    read = read_space(tmp_path)
    assert space_version(read) == space_version(space)
    assert (read.fitted_at, read.n_fitted, read.names) == (NOW, 9, ("a",))
    np.testing.assert_array_equal(transform(read, vectors), transform(space, vectors))


def test_the_version_of_a_space_changes_with_its_contents_alone() -> None:
    vectors = np.arange(6, dtype=np.float32).reshape(3, 2) ** 2
    space = fit_space({"a": vectors}, NOW, ALIKE)
    same = fit_space({"a": vectors}, datetime(2026, 6, 1, tzinfo=UTC), ALIKE)
    other = fit_space({"a": vectors * 2}, NOW, ALIKE)
    assert space_version(space) == space_version(same)
    assert space_version(other) != space_version(space)
