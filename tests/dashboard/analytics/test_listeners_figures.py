"""Figures of the page of listeners as Plotly takes them."""

from datetime import date

import plotly.graph_objects as go
import pytest

from dashboard.analytics import listeners_figures as figures
from dashboard.analytics.figures import Figure
from dashboard.analytics.heat import HOURS, WEEKDAYS


def test_sessions_and_listeners_are_drawn_by_date() -> None:
    days = [date(2026, 5, 3), date(2026, 5, 4)]
    bars, line = go.Figure(figures.sessions_figure(days, [9, 8], [6, 5])).data
    assert (list(bars.x), list(bars.y)) == (days, [9, 8])
    assert (list(line.y), line.mode) == ([6, 5], "lines")
    # of one date a line alone would show nothing
    _, dot = go.Figure(figures.sessions_figure(days[:1], [9], [6])).data
    assert dot.mode == "lines+markers"


def test_lengths_are_drawn_from_the_shortest_down() -> None:
    drawn = go.Figure(figures.lengths_figure(["under 5 min", "more"], [3, 4]))
    assert list(drawn.data[0].x) == [3, 4]
    assert drawn.layout.yaxis.autorange == "reversed"


def test_what_is_not_told_is_a_gap() -> None:
    table = [
        [None if day == hour else day * hour for hour in range(24)] for day in range(7)
    ]
    (cells,) = go.Figure(figures.heat_figure(table, HOURS, WEEKDAYS, "plays")).data
    assert [list(row) for row in cells.z] == table
    assert cells.hoverongaps is False
    shares: list[list[float | None]] = [[1.0, None], [1.0, 0.5]]
    (cells,) = go.Figure(figures.cohorts_figure(shares, ["0", "1"], ["a", "b"])).data
    assert [list(row) for row in cells.z] == shares
    assert (cells.zmin, cells.zmax) == (0, 1)
    (line,) = go.Figure(figures.kept_figure({"Cluster 1": [1.0, None, 0.5]})).data
    assert (list(line.x), list(line.y)) == ([0, 1, 2], [1.0, None, 0.5])
    assert not line.connectgaps


def test_the_newest_place_of_a_way_stands_out() -> None:
    path = [[0.0, 1.0], [1.0, 2.0]]
    drawn = go.Figure(
        figures.trajectory_figure([[3.0, 4.0]], path, ["a", "b"], {"C": [5.0, 6.0]})
    )
    tracks, clusters, way, newest = drawn.data
    assert (tracks.x[0], clusters.y[0]) == (3.0, 6.0)
    assert list(way.text) == ["a", "b"]
    assert (list(newest.x), list(newest.text)) == ([1.0], ["b"])
    assert drawn.layout.yaxis.scaleanchor == "x"


def test_titles_are_no_html() -> None:
    title = '<a href="https://e.example">R&B</a>'
    drawn = go.Figure(
        figures.trajectory_figure([], [[0.0, 1.0]], [title], {title: [5.0, 6.0]})
    )
    _, clusters, way, newest = drawn.data
    said = '&lt;a href="https://e.example"&gt;R&amp;B&lt;/a&gt;'
    assert [*clusters.text, *way.text, *newest.text] == [said] * 3


@pytest.mark.parametrize(
    "empty",
    [
        figures.sessions_figure([], [], []),
        figures.lengths_figure([], []),
        figures.heat_figure([], [], [], ""),
        figures.cohorts_figure([], [], []),
        figures.kept_figure({}),
        figures.trajectory_figure([], [], [], {}),
    ],
)
def test_nothing_is_an_empty_figure(empty: Figure) -> None:
    assert all(not trace.y for trace in go.Figure(empty).data)
