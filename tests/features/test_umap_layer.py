import importlib.util
from pathlib import Path

import numpy as np
import pytest

from features.umap_layer import write_umap_layer
from segue import map_layers
from segue.errors import IndexMissingError, LibraryError, MissingProgramError
from segue.map_layers import read_umap, shown_rows
from segue.track_index import create_track_index, write_track_index


def _index(home: Path, n: int) -> np.ndarray:
    vectors = np.random.default_rng(1).standard_normal((n, 4)).astype(np.float32)
    ids = [f"t{row:04}" for row in range(n)]
    write_track_index(home / "index", create_track_index("v1", ids, vectors))
    return vectors


def _first_two(vectors: np.ndarray) -> np.ndarray:
    return vectors[:, :2]


def test_places_lie_beside_the_index(tmp_path: Path) -> None:
    vectors = _index(tmp_path, 40)
    layer = write_umap_layer(tmp_path, _first_two)
    assert layer == ("v1", 40, tmp_path / "index" / "v1" / "umap.npy")
    found = read_umap(tmp_path / "index", "v1", 40)
    assert found is not None
    assert (found == vectors[:, :2]).all()


def test_of_very_many_tracks_those_are_placed_that_a_map_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vectors = _index(tmp_path, 40)
    monkeypatch.setattr(map_layers, "MOST_SHOWN", 15)
    assert write_umap_layer(tmp_path, _first_two).n_tracks == 15
    found = read_umap(tmp_path / "index", "v1", 40)
    assert found is not None
    rows = shown_rows(40)
    assert (found[rows] == vectors[rows, :2]).all()
    assert np.isnan(found).all(axis=1).sum() == 25


@pytest.mark.parametrize("n", [0, 1, 49_999, 50_001, 1_000_003])
def test_shown_rows_are_spread_evenly(n: int) -> None:
    rows = shown_rows(n)
    assert len(rows) == min(n, 50_000)
    assert len(np.unique(np.diff(rows))) <= 2
    assert not len(rows) or (rows[0] == 0 and rows[-1] < n)


def test_a_layer_that_is_not_whole_is_none(tmp_path: Path) -> None:
    _index(tmp_path, 8)
    folder = tmp_path / "index"
    assert read_umap(folder, "v1", 8) is None
    path = write_umap_layer(tmp_path, _first_two).path
    assert read_umap(folder, "v1", 9) is None
    path.write_bytes(path.read_bytes()[:-9])
    assert read_umap(folder, "v1", 8) is None
    path.write_bytes(b"")
    assert read_umap(folder, "v1", 8) is None


def test_without_tracks_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(IndexMissingError, match="segue features build"):
        write_umap_layer(tmp_path, _first_two)
    _index(tmp_path, 4)
    with pytest.raises(LibraryError, match="has 4 tracks, UMAP wants 5"):
        write_umap_layer(tmp_path, _first_two)


def test_without_umap_it_says_what_to_install(tmp_path: Path) -> None:
    # an extra that set-up leaves out
    assert importlib.util.find_spec("umap") is None
    with pytest.raises(MissingProgramError, match=r"pip install 'segue\[umap\]'"):
        write_umap_layer(tmp_path)
