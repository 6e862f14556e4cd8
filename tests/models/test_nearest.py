"""What the graph finds, against looking at each track."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from models.candidates import top_rows
from models.nearest import nearest_rows
from segue.track_index import (
    TrackIndex,
    create_track_index,
    read_track_index,
    write_track_index,
)

Rows = NDArray[np.int32]
NONE = np.empty(0, dtype=np.int32)
_K = 96


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> TrackIndex:
    """20,000 tracks in 200 clusters, with hubs."""
    rng = np.random.default_rng(6)
    centres = rng.normal(size=(200, 32))
    vectors = centres[rng.integers(200, size=20_000)]
    vectors = vectors + 0.6 * rng.normal(size=vectors.shape)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    scales = rng.uniform(0.7, 1.4, 20_000).astype(np.float32)
    scales[:20] = 0.1
    names = [f"t{row:05d}" for row in range(20_000)]
    folder = tmp_path_factory.mktemp("index")
    write_track_index(
        folder,
        create_track_index("v", names, vectors.astype(np.float32), scales),
        exact_tracks=1_000,
    )
    return read_track_index(folder)


@pytest.fixture(scope="module")
def queries(index: TrackIndex) -> NDArray[np.float32]:
    rng = np.random.default_rng(7)
    mixed = index.vectors[rng.integers(20_000, size=(100, 3))].sum(axis=1)
    mixed /= np.linalg.norm(mixed, axis=1, keepdims=True)
    return np.asarray(mixed, dtype=np.float32)


def recall(found: Rows, exact: Rows) -> float:
    return float(
        np.mean([len(set(a) & set(b)) for a, b in zip(found, exact, strict=True)])
        / exact.shape[1]
    )


def test_99_of_100_are_found_and_stand_in_their_order(
    index: TrackIndex, queries: NDArray[np.float32]
) -> None:
    assert index.graph is not None
    found = nearest_rows(queries, index, _K, [NONE] * len(queries))
    exact = top_rows(queries, index, _K)
    assert recall(found, exact) >= 0.99
    assert recall(found[:, :20], exact[:, :20]) >= 0.995
    for mine, best in zip(found, exact, strict=True):
        common = set(mine) & set(best)
        assert [x for x in mine if x in common] == [x for x in best if x in common]
        assert len(set(mine)) == _K


@pytest.mark.parametrize("n_excluded", [40, 256, 5_000])
def test_what_is_excluded_is_passed_over(
    index: TrackIndex, queries: NDArray[np.float32], n_excluded: int
) -> None:
    nearest = top_rows(queries, index, n_excluded)
    excluded = [np.sort(rows) for rows in nearest]
    found = nearest_rows(queries, index, _K, excluded)
    assert recall(found, top_rows(queries, index, _K, excluded)) >= 0.99
    for rows, out in zip(found, excluded, strict=True):
        assert not set(rows) & set(out)


def test_where_many_have_left_the_next_are_found(tmp_path: Path) -> None:
    rng = np.random.default_rng(8)
    centres = rng.normal(size=(12, 16))
    vectors = np.repeat(centres, 300, axis=0) + 0.1 * rng.normal(size=(3_600, 16))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype("f4")
    names = [f"t{row:05d}" for row in range(3_600)]
    write_track_index(tmp_path, create_track_index("a", names, vectors), 1_000)
    # all but a few of the first cluster
    left = create_track_index("b", names[280:], vectors[280:])
    write_track_index(tmp_path, left, 1_000)
    index = read_track_index(tmp_path)
    assert index.graph is not None
    assert len(index.graph.rows) == 3_600
    near = np.asarray(vectors[:20])
    found = nearest_rows(near, index, _K, [NONE] * 20)
    assert recall(found, top_rows(near, index, _K)) >= 0.99


def test_a_search_does_not_depend_on_who_else_is_in_the_batch(
    index: TrackIndex, queries: NDArray[np.float32]
) -> None:
    far = np.arange(5_000, dtype=np.int32)
    excluded = [far if n % 3 == 0 else far[:n] for n in range(len(queries))]
    together = nearest_rows(queries, index, _K, excluded)
    for n in range(0, len(queries), 7):
        alone = nearest_rows(queries[n : n + 1], index, _K, [excluded[n]])
        np.testing.assert_array_equal(alone[0], together[n])


def test_of_fewer_tracks_than_places_all_are_found(tmp_path: Path) -> None:
    vectors = np.eye(6, dtype=np.float32)
    few = create_track_index("v", [f"t{n}" for n in range(6)], vectors)
    write_track_index(tmp_path, few, exact_tracks=2)
    index = read_track_index(tmp_path)
    assert index.graph is not None
    out = np.array([1], dtype=np.int32)
    found = nearest_rows(vectors[:2], index, 8, [NONE, out])
    assert found.tolist() == [[0, 1, 2, 3, 4, 5, -1, -1], [0, 2, 3, 4, 5, -1, -1, -1]]
