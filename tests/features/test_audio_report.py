"""The report on the audio space: numbers by hand and by SciPy."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import skew

from features.audio_report import (
    MAX_DIMS,
    N_GROUPS,
    N_MEMBERS,
    Material,
    find_twins,
    first_dimensions,
    grouped,
    hubness,
    make_report,
    measure_hubs,
)
from features.audio_reporting import NO_FAILURES
from features.library_files import present_paths
from features.space import TasteSpace, fit_space
from segue.audio_reports import HUB_CLASSES, AudioReport
from segue.track_index import create_track_index
from tests.features.catalogues import START


def _unit(points: NDArray[np.float64]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(points, axis=1, keepdims=True)
    return np.asarray(points / lengths, dtype=np.float32)


def _occurrence(
    points: NDArray[np.float32], scales: NDArray[np.float32], own: NDArray[np.intp]
) -> NDArray[np.int64]:
    """Return in how many first tens each track stands, one list after the other."""
    counts = np.zeros(len(points), dtype=np.int64)
    for row in range(len(points)):
        near = (1 - points @ points[row].astype(np.float64)) / scales
        near[own == own[row]] = np.inf
        counts[np.argsort(near)[:10]] += 1
    return counts


def test_hubs_are_those_of_every_list_counted_out(rng: np.random.Generator) -> None:
    points = _unit(rng.normal(size=(300, 12)) + 0.8)
    scales = rng.uniform(0.5, 2, size=300).astype(np.float32)
    own = np.arange(300)
    own[1::50] = own[::50]
    ids = [f"{n:03}" for n in range(300)]
    hubs = measure_hubs(create_track_index("v", ids, points, scales), own)
    assert (hubs.n_sampled, hubs.k) == (300, 10)
    for way, by in zip(hubs.ways, (0 * scales + 1, scales), strict=True):
        counts = _occurrence(points, by, own)
        assert way.skew == pytest.approx(skew(counts))
        assert way.orphan_share == pytest.approx((counts == 0).mean())
        assert way.top_share == pytest.approx(np.sort(counts)[-3:].sum() / 3000)
        edges = [*HUB_CLASSES, np.inf]
        assert way.counts == np.histogram(counts, edges)[0].tolist()
    assert hubs.ways[0].skew != pytest.approx(hubs.ways[1].skew)


def test_blocks_tell_dead_dimensions_zeros_and_what_is_no_number(
    rng: np.random.Generator,
) -> None:
    matrix = rng.normal(3, 2, size=(80, 4)).astype(np.float32)
    matrix[:, 1] = 1e6
    matrix[::2, 1] += 0.05  # less than float32 can hold there
    matrix[:20, 2] = 0
    # small numbers are no dead ones
    matrix[:, 3] = 1e-9 * rng.normal(size=80)
    matrix[5, 0] = np.nan
    block = _report({"a": matrix}).blocks[0]
    there = np.delete(matrix, 5, axis=0).astype(np.float64)
    assert block.means == pytest.approx(there.mean(axis=0))
    assert block.deviations == pytest.approx(there.std(axis=0))
    assert block.zero_shares == pytest.approx([0, 0, 19 / 79, 0])
    assert (block.flat, block.n_nonfinite) == ([1], 1)


def test_a_dimension_that_repeats_an_earlier_one_is_its_twin(
    rng: np.random.Generator,
) -> None:
    a = rng.normal(size=(500, 3)).astype(np.float32)
    noise = rng.normal(size=500)
    b = np.column_stack(
        [
            -2 * a[:, 1] + 7,
            a[:, 0] + 0.2 * noise,  # r = 0.98
            np.full(500, 3.0),  # dead
            np.full(500, 4.0),
            a[:, 1] + 0.01 * noise,
        ]
    ).astype(np.float32)
    twins = find_twins({"a": a, "b": b})
    r = np.corrcoef(a[:, 1], b[:, 4])[0, 1]
    assert [(t.name, t.earlier) for t in twins.first] == [
        ("b[0]", "a[1]"),
        ("b[4]", "a[1]"),
    ]
    assert twins.n == 2
    assert [t.r for t in twins.first] == pytest.approx([-1, r], abs=1e-5)


@pytest.mark.parametrize("n_tracks", [1, 2])
def test_few_tracks_have_a_report(n_tracks: int) -> None:
    report = _report({"a": np.ones((n_tracks, 3), dtype=np.float32)})
    assert report.n_tracks == n_tracks
    assert report.twins.n == 0
    assert report.batch is None


def test_what_is_no_number_at_all_has_a_report() -> None:
    report = _report({"a": np.full((3, 2), np.nan, dtype=np.float32)})
    assert report.blocks[0].n_nonfinite == 6
    assert report.blocks[0].means == [0, 0]


def test_of_very_many_dimensions_the_first_are_looked_at() -> None:
    blocks = {name: np.zeros((2, 3000), dtype=np.float32) for name in "abc"}
    sizes = {name: m.shape[1] for name, m in first_dimensions(blocks).items()}
    assert sizes == {"a": 3000, "b": MAX_DIMS - 3000}


def test_groups_are_counted_by_size_and_the_largest_named() -> None:
    groups = [[f"{n}", f"{n}b"] for n in range(N_GROUPS)]
    large = [f"x{n:02}" for n in range(N_MEMBERS + 5)]
    found = grouped([["alone"], *groups, large])
    assert (found.n_groups, found.n_members) == (
        N_GROUPS + 1,
        2 * N_GROUPS + N_MEMBERS + 5,
    )
    assert found.sizes == [N_GROUPS, *[0] * 7, 1]
    assert (found.largest[0].n, found.largest[0].first) == (
        N_MEMBERS + 5,
        large[:N_MEMBERS],
    )
    assert len(found.largest) == N_GROUPS


def test_the_hundredth_that_is_listed_most_is_one_track_at_least() -> None:
    assert hubness("", np.array([0, 1, 3])).top_share == 0.75
    assert hubness("", np.zeros(3, dtype=np.int64)).top_share == 0


def test_only_files_that_still_are_as_they_were_count_as_copies() -> None:
    stamps = {
        ("/m/a", 1, 1): "x",
        ("/m/moved", 1, 1): "x",
        ("/m/b", 1, 1): "x",
        ("/m/c", 1, 1): "y",
        ("/m/d", 1, 1): "z",
    }
    asked = []

    def is_there(stamp: tuple[str, int, int]) -> bool:
        asked.append(stamp[0])
        return stamp[0] != "/m/moved"

    assert present_paths(stamps, {"y"}, is_there) == {
        "x": ["/m/a", "/m/b"],
        "y": ["/m/c"],
    }
    assert "/m/d" not in asked


def _report(blocks: dict[str, NDArray[np.float32]]) -> AudioReport:
    n = len(next(iter(blocks.values())))
    points = _unit(np.random.default_rng(1).normal(size=(n, 3)))
    ids = [f"{row:04}" for row in range(n)]
    material = Material(
        spec="s",
        blocks=blocks,
        extracted_at=np.full(n, np.datetime64("2026-05-03")),
        recordings=ids,
        copies=[],
        failures=NO_FAILURES,
    )
    return make_report(
        create_track_index("v", ids, points), _space(), 0, material, START
    )


def _space() -> TasteSpace:
    rows = np.random.default_rng(2).normal(size=(4, 2)).astype(np.float32)
    return fit_space({"a": rows}, START, {"a": 1.0})
