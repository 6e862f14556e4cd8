"""A graph goes on from index to index and never names what is not there."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from segue.errors import IndexMissingError
from segue.track_index import (
    TrackIndex,
    create_track_index,
    lacks_graph,
    open_track_index,
    read_track_index,
    write_track_index,
)

_EXACT = 100
_BEAM = 64
# two threads make a graph that is not the same each time: it missed 14 of 1,000 once
_MOST = 0.95
RNG = np.random.default_rng(4)
VECTORS = RNG.normal(size=(1_200, 8)).astype(np.float32)
VECTORS /= np.linalg.norm(VECTORS, axis=1, keepdims=True)
SCALES = RNG.uniform(0.8, 1.2, len(VECTORS)).astype(np.float32)


def index_of(numbers: Iterable[int], version: str, scale: float = 1) -> TrackIndex:
    chosen = list(numbers)
    names = [f"t{number:04d}" for number in chosen]
    return create_track_index(version, names, VECTORS[chosen], SCALES[chosen] * scale)


def written(folder: Path, index: TrackIndex) -> TrackIndex:
    write_track_index(folder, index, _EXACT)
    return read_track_index(folder)


def n_nodes(index: TrackIndex) -> int:
    assert index.graph is not None
    return len(index.graph.rows)


def found_themselves(index: TrackIndex) -> float:
    """Return the share of tracks that are near to their own place."""
    assert index.graph is not None
    near = index.graph.near(index.vectors, _BEAM)
    return float(np.mean([row in line for row, line in enumerate(near)]))


def test_a_small_index_has_no_graph(tmp_path: Path) -> None:
    assert written(tmp_path, index_of(range(_EXACT), "a")).graph is None
    assert written(tmp_path, index_of(range(_EXACT + 1), "b")).graph is not None


def test_the_next_index_adds_what_is_new_and_passes_over_what_left(
    tmp_path: Path,
) -> None:
    written(tmp_path, index_of(range(1_000), "a"))
    numbers = [*range(50, 1_000), *range(1_000, 1_100)]
    grown = written(tmp_path, index_of(numbers, "b"))
    assert n_nodes(grown) == 1_100
    assert grown.graph is not None
    assert np.count_nonzero(grown.graph.rows < 0) == 50
    assert found_themselves(grown) > _MOST
    # and so does the one after it, which looks back through two
    further = written(tmp_path, index_of([*numbers, 1_100], "c"))
    assert n_nodes(further) == 1_101
    assert found_themselves(further) > _MOST


def test_a_track_that_moved_is_found_at_its_new_place_only(tmp_path: Path) -> None:
    first = index_of(range(1_000), "a")
    written(tmp_path, first)
    vectors = first.vectors.copy()
    vectors[7] = -vectors[7]
    scales = first.scales.copy()
    scales[8] *= 1.05
    moved = create_track_index("b", first.track_ids, vectors, scales)
    index = written(tmp_path, moved)
    assert n_nodes(index) == 1_002
    assert index.graph is not None
    there, gone = index.graph.near(np.stack([vectors[7], -vectors[7]]), _BEAM)
    assert 7 in there
    assert 7 not in gone
    assert list(index.graph.rows).count(8) == 1


@pytest.mark.parametrize("scale", [0.5, 1.5])
def test_another_space_gets_a_graph_of_its_own(tmp_path: Path, scale: float) -> None:
    written(tmp_path, index_of(range(1_000), "a"))
    index = written(tmp_path, index_of(range(1_000), "b", scale))
    assert n_nodes(index) == 1_000
    assert found_themselves(index) > _MOST


def test_a_space_of_other_dimensions_gets_a_graph_of_its_own(tmp_path: Path) -> None:
    first = written(tmp_path, index_of(range(1_000), "a"))
    vectors = np.ascontiguousarray(first.vectors[:, :5])
    written(tmp_path, create_track_index("b", first.track_ids, vectors))
    assert n_nodes(read_track_index(tmp_path)) == 1_000


@pytest.mark.parametrize("name", ["graph.usearch", "graph.npz"])
@pytest.mark.parametrize("left", [0.5, 0.0])
def test_a_cut_graph_is_a_clear_error_and_the_next_build_mends_it(
    tmp_path: Path, name: str, left: float
) -> None:
    index = index_of(range(1_000), "a")
    write_track_index(tmp_path, index, _EXACT)
    file = tmp_path / "a" / name
    content = file.read_bytes()
    file.write_bytes(content[: int(len(content) * left)])
    with pytest.raises(IndexMissingError, match="is not whole"):
        read_track_index(tmp_path)
    assert n_nodes(written(tmp_path, index)) == 1_000


def test_other_content_in_the_graphs_file_is_a_clear_error(tmp_path: Path) -> None:
    write_track_index(tmp_path, index_of(range(1_000), "a"), _EXACT)
    file = tmp_path / "a" / "graph.usearch"
    file.write_bytes(b"x" * file.stat().st_size)
    with pytest.raises(IndexMissingError, match="is not whole"):
        read_track_index(tmp_path)


def test_a_build_that_comes_back_keeps_the_graph_it_had(tmp_path: Path) -> None:
    first = index_of(range(1_000), "a")
    written(tmp_path, first)
    written(tmp_path, index_of(range(1_001), "b"))
    assert n_nodes(written(tmp_path, first)) == 1_000
    # in this process "a" is open since it was first written
    further = written(tmp_path, index_of([*range(1_000), 1_100], "c"))
    assert n_nodes(further) == 1_001
    assert found_themselves(further) > _MOST


def test_files_of_two_graphs_are_a_clear_error(tmp_path: Path) -> None:
    written(tmp_path, index_of(range(1_000), "a"))
    written(tmp_path, index_of(range(1_001), "b"))
    with np.load(tmp_path / "a" / "graph.npz") as stored:
        rows = stored["rows"]
    n_bytes = (tmp_path / "b" / "graph.usearch").stat().st_size
    np.savez(tmp_path / "b" / "graph.npz", rows=rows, n_bytes=n_bytes)
    open_track_index.cache_clear()
    with pytest.raises(IndexMissingError, match="1001 nodes, not 1000"):
        read_track_index(tmp_path)


def test_an_index_says_when_it_lacks_its_graph(tmp_path: Path) -> None:
    write_track_index(tmp_path, index_of(range(_EXACT + 1), "a"))
    assert lacks_graph(read_track_index(tmp_path), _EXACT)
    assert not lacks_graph(read_track_index(tmp_path), _EXACT + 1)
    whole = written(tmp_path, index_of(range(_EXACT + 1), "b"))
    assert not lacks_graph(whole, _EXACT)
