import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from models import clusters
from models.clusters import clusters_of


def _groups(rng: np.random.Generator, n: int, sizes: list[int]) -> np.ndarray:
    middles = 10 * rng.standard_normal((n, 6))
    labels = np.repeat(np.arange(n), sizes)
    return middles[labels] + rng.standard_normal((len(labels), 6))


def test_tracks_that_lie_together_are_one_cluster(rng: np.random.Generator) -> None:
    sizes = [30, 200, 90, 60]
    vectors = _groups(rng, 4, sizes).astype(np.float32)
    found = clusters_of(vectors, 4)
    assert adjusted_rand_score(np.repeat(range(4), sizes), found) == 1
    assert np.bincount(found).tolist() == [200, 90, 60, 30]


def test_the_same_tracks_give_the_same_clusters(rng: np.random.Generator) -> None:
    vectors = rng.standard_normal((500, 8))
    assert (clusters_of(vectors, 7) == clusters_of(vectors.copy(), 7)).all()
    assert set(clusters_of(vectors, 7).tolist()) == set(range(7))


def test_a_large_catalogue_is_placed_by_a_sample(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = [700, 500, 300]
    vectors = _groups(rng, 3, sizes)
    order = rng.permutation(len(vectors))
    monkeypatch.setattr(clusters, "_SAMPLE", 100)
    monkeypatch.setattr(clusters, "_BLOCK", 64)
    found = clusters_of(vectors[order], 3)
    assert adjusted_rand_score(np.repeat(range(3), sizes)[order], found) == 1


@pytest.mark.parametrize("n", [0, 1, 2, 5])
def test_of_few_tracks_there_are_few_clusters(n: int) -> None:
    found = clusters_of(np.eye(8)[:n], 10)
    assert sorted(found.tolist()) == list(range(n))


def test_copies_are_one_cluster() -> None:
    assert clusters_of(np.ones((20, 3), np.float32), 10).tolist() == [0] * 20
