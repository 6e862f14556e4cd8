"""Points, colours and choices of the map, against the libraries that know."""

import base64
from datetime import UTC, datetime
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from sklearn.decomposition import PCA

from dashboard.analytics import map_figures
from dashboard.analytics.map_choice import (
    box_of,
    chosen_of,
    colouring_of,
    layer_of,
    nearest_first,
)
from dashboard.analytics.map_figures import (
    by_label,
    by_plays,
    frame_figure,
    map_figure,
)
from dashboard.analytics.map_points import (
    EXTENT,
    MapPoints,
    labelled,
    place,
    points_of,
    wanted_ids,
)
from dashboard.analytics.questions import Question, parse
from dashboard.analytics.taste_map import facts, notes
from dashboard.refusals import RefusedError
from segue import map_layers
from segue.activity import code_of
from segue.names import genre_id_of
from segue.track_index import TrackIndex, create_track_index
from tests.dashboard.analytics.mapped import STYLES, document, vectors_of

NOW = datetime(2026, 5, 3, 22, 10, tzinfo=UTC)


def _index(n: int) -> TrackIndex:
    return create_track_index("v1", [f"m{row:05}" for row in range(n)], vectors_of(n))


def _points(n: int = 40, n_missing: int = 0, more: int = 0) -> MapPoints:
    placed = place(_index(n), None)
    tracks = [document(number) for number in range(n_missing, n)]
    return points_of(placed, tracks, len(tracks) + more, 7)


def _asked(query: str) -> Question:
    return parse(query, "30d", NOW)


def _bytes_in(packed: dict[str, str]) -> np.ndarray:
    content = base64.b64decode(packed["bdata"])
    return np.frombuffer(content, np.dtype(packed["dtype"]).newbyteorder("<"))


def test_places_are_those_of_a_principal_component_analysis() -> None:
    index = _index(300)
    wanted = PCA(2).fit(index.vectors.astype(np.float64))
    there = wanted.transform(index.vectors.astype(np.float64))
    placed = place(index, None)
    found = placed.places["pca"]
    assert np.abs(found).max() == pytest.approx(EXTENT)
    # axes may point either way
    for axis in range(2):
        turned = np.sign((found[:, axis] * there[:, axis]).sum())
        scaled = there[:, axis] * EXTENT / np.abs(there).max()
        np.testing.assert_allclose(turned * found[:, axis], scaled, atol=2)
    assert placed.shown_share == pytest.approx(wanted.explained_variance_ratio_.sum())


def test_points_are_the_tracks_that_are_in_the_library() -> None:
    points = _points(40, n_missing=3, more=5)
    assert list(points.track_ids) == [f"m{row:05}" for row in range(3, 40)]
    assert (points.n_gone, points.n_unplaced) == (3, 5)
    assert points.codes.tolist() == [code_of(each) for each in points.track_ids]
    assert sorted(points.styles.names) == list(STYLES)
    assert points.styles.name_of(0) == STYLES[3]
    assert notes(points) == (
        "5 tracks of the library have no place yet: they were not analysed, or not "
        "since they changed. 3 analysed tracks are no longer in the library."
    )
    assert notes(_points()) == ""


def test_clusters_are_known_by_their_styles() -> None:
    points = _points(400)
    names = points.clusters.names
    assert names[0].startswith("1 · ")
    assert {name.split(" · ")[1].split(",")[0] for name in names} == set(STYLES)
    sizes = np.bincount(points.clusters.numbers)
    assert sizes.tolist() == sorted(sizes, reverse=True)


def test_of_very_many_tracks_an_even_choice_is_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(map_layers, "MOST_SHOWN", 10)
    placed = place(_index(40), None)
    ids = wanted_ids(placed)
    assert ids == [f"m{row:05}" for row in range(0, 40, 4)]
    tracks = [document(int(each[1:])) for each in ids]
    points = points_of(placed, tracks, 40, 7)
    assert notes(points) == "Of 40 tracks 10 are shown, evenly chosen."


def test_an_odd_track_is_a_point_all_the_same() -> None:
    placed = place(_index(3), None)
    odd: list[dict[str, Any]] = [
        {"_id": "m00000"},
        {"_id": "m00001", "genre_ids": [], "genres": None, "artist_id": None},
        {"_id": "m00002", "genre_ids": ["x"], "genres": [], "artist": "By nobody"},
    ]
    points = points_of(placed, odd, 3, 1)
    assert points.styles.numbers.tolist() == [-1, -1, -1]
    (only,) = by_label(points.styles, "other styles")
    assert (only.name, len(only.points)) == ("not told", 3)


@pytest.mark.parametrize("n", [1, 2])
def test_a_map_of_hardly_anything_is_a_map(n: int) -> None:
    points = _points(n)
    assert points.places["pca"].shape == (n, 2)
    assert "100 %" in facts(points, "pca")


def test_a_umap_layer_is_in_the_middle_and_to_scale() -> None:
    umap = np.array([[5, 5], [9, 5], [np.nan, np.nan], [5, 7]], np.float32)
    placed = place(_index(4), umap)
    found = placed.places["umap"]
    assert np.nanmax(np.abs(found)) == EXTENT
    assert np.nanmean(found, axis=0) == pytest.approx([0, 0], abs=1e-2)
    points = points_of(placed, [document(n) for n in range(4)], 4, 1)
    assert "How far groups lie apart says little" in facts(points, "umap")
    assert layer_of(_asked("layer=umap"), points) == "umap"


def test_only_the_most_frequent_labels_have_a_colour() -> None:
    told = [(f"k{key:02}", f"Key {key}") for key in range(15) for _ in range(20 - key)]
    categories = by_label(labelled([*told, None]), "other styles")
    assert [each.name for each in categories] == [
        *(f"Key {key}" for key in range(10)),
        *("5 other styles", "not told"),
    ]
    assert [each.key for each in categories[-2:]] == ["", ""]
    assert len({each.colour for each in categories}) == 11
    every = np.concatenate([each.points for each in categories])
    assert sorted(every) == list(range(len(told) + 1))


def test_classes_of_plays_reach_four_times_as_far_each() -> None:
    plays = np.array([0, 1, 3, 4, 15, 16, 4095, 4096, 10**9])
    assert {each.name: each.points.tolist() for each in by_plays(plays)} == {
        "not played": [0],
        "1 to 3 plays": [1, 2],
        "4 to 15 plays": [3, 4],
        "16 to 63 plays": [5],
        "1,024 to 4,095 plays": [6],
        "4,096 plays or more": [7, 8],
    }


def test_the_figure_is_one_that_plotly_takes() -> None:
    points = _points(60)
    chosen = points.styles.at(genre_id_of("dub"))
    places = points.places["pca"]
    figure = map_figure(places, by_label(points.styles, "other styles"), chosen)
    go.Figure(figure)
    go.Figure(frame_figure())
    n_lit = 0
    for trace in figure["data"]:
        rows = _bytes_in(trace["customdata"])
        np.testing.assert_array_equal(_bytes_in(trace["x"]), places[rows, 0])
        np.testing.assert_array_equal(_bytes_in(trace["y"]), places[rows, 1])
        assert chosen[rows[trace["selectedpoints"]]].all()
        n_lit += len(trace["selectedpoints"])
    assert n_lit == chosen.sum() == 15


def test_fifty_thousand_points_are_small_enough_to_travel() -> None:
    n = 50_000
    places = np.random.default_rng(1).integers(-EXTENT, EXTENT, (n, 2)).astype(np.int16)
    labels = labelled([("k", "Key")] * n)
    figure = map_figure(places, by_label(labels, "others"))
    (trace,) = figure["data"]
    size = sum(len(trace[name]["bdata"]) for name in ("x", "y", "customdata"))
    assert size < 600_000
    assert trace["marker"]["size"] < 5
    assert map_figures.packed(np.arange(3, dtype=np.int32))["dtype"] == "i4"


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        (f"style={genre_id_of('house')}", range(2, 40, 4)),
        (f"style={genre_id_of('house')}&artist={document(2)['artist_id']}", [2, 30]),
        ("style=nothing", []),
        ("cluster=99", []),
        ("cluster=x", []),
        ("box=-10000,10000,-10000,10000", range(40)),
    ],
)
def test_an_address_chooses(query: str, rows: list[int]) -> None:
    chosen = chosen_of(_asked(query), _points())
    assert chosen is not None
    assert np.flatnonzero(chosen).tolist() == list(rows)


def test_an_address_that_names_nothing_chooses_nothing() -> None:
    assert chosen_of(_asked("range=7d&colour=plays"), _points()) is None


def test_a_rectangle_has_its_sides() -> None:
    points = _points()
    x, y = points.places["pca"][5].tolist()
    chosen = chosen_of(_asked(f"box={x},{x},{y},{y}"), points)
    assert chosen is not None
    assert chosen[5]
    assert chosen.sum() == 1


@pytest.mark.parametrize(
    "text",
    [
        *("1", "1,2,3", "1,2,3,4,5", "a,b,c,d", "1,0,0,1", "0,1,1,0", "1e3,2,3,4"),
        *("\u0661,2,3,4", "99999999,1,2,3", ",,,", "--1,2,3,4", "nan,1,2,3"),
    ],
)
def test_what_is_no_rectangle_is_a_sentence(text: str) -> None:
    with pytest.raises(RefusedError, match="want four whole numbers") as refused:
        box_of(text)
    assert refused.value.status == 400


def test_what_is_not_there_is_a_sentence() -> None:
    with pytest.raises(RefusedError, match="no such colouring; there are style, art"):
        colouring_of(_asked("colour=$where"))
    with pytest.raises(RefusedError, match="no such layer"):
        layer_of(_asked("layer=../x"), _points())
    with pytest.raises(RefusedError, match="`segue features umap` makes it"):
        layer_of(_asked("layer=umap"), _points())


def test_the_nearest_to_the_middle_come_first() -> None:
    places = np.array([[0, 0], [30000, 0], [-30000, 0], [10, 1]], np.int16)
    assert nearest_first([1, 2, 3, 0], places)[:2] == [0, 3]
    assert nearest_first([], places) == []
