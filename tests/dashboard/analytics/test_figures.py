"""Figures as Plotly takes them."""

from datetime import UTC, datetime, timedelta

import plotly.graph_objects as go

from dashboard.analytics.figures import plays_figure, retention_figure, skips_figure
from segue.activity import Level

START = datetime(2026, 5, 3, 22, 10, tzinfo=UTC)


def test_bars_stack_to_all_plays_of_a_span() -> None:
    starts = [START + timedelta(minutes=n) for n in range(3)]
    counts = {"n_completed": [3, 0, 1], "n_left": [1, 0, 0], "n_skipped": [2, 0, 0]}
    counts |= {"n_started": [9, 0, 1], "n_plays": [6, 0, 1], "heard_ms": [1, 0, 1]}
    figure = go.Figure(plays_figure(Level.MINUTE, starts, counts))
    completed, left, skipped, started = figure.data
    stacked = zip(completed.y, left.y, skipped.y, strict=True)
    assert [sum(each) for each in stacked] == counts["n_plays"]
    assert list(started.y) == counts["n_started"]
    assert figure.layout.barmode == "stack"


def test_positions_are_drawn_as_they_are_named() -> None:
    labels = ["0:00", "0:10"]
    (line,) = go.Figure(retention_figure([1.0, 0.5], labels)).data
    assert (list(line.x), list(line.y)) == (labels, [1.0, 0.5])
    (bars,) = go.Figure(skips_figure([4, 2], labels)).data
    assert (list(bars.x), list(bars.y)) == (labels, [4, 2])


def test_nothing_is_an_empty_figure() -> None:
    for made in (
        plays_figure(Level.DAY, [], {}),
        retention_figure([], []),
        skips_figure([], []),
    ):
        assert all(not trace.y for trace in go.Figure(made).data)
