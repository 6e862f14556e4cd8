from datetime import UTC, datetime

import plotly.graph_objects as go

from dashboard.figures import batch_figure
from dashboard.records import QueryHealth

START = datetime(2026, 5, 3, 22, 10, tzinfo=UTC)


def test_each_phase_is_a_bar_and_a_missing_one_is_zero() -> None:
    queries = [
        _health("intake", {"addBatch": 9.0}),
        _health("taste", {"walCommit": 4.0}),
    ]
    figure = go.Figure(batch_figure(queries))
    assert {bar.name: list(bar.x) for bar in figure.data} == {
        "addBatch": [9.0, 0],
        "walCommit": [0, 4.0],
    }


def _health(name: str, phases_ms: dict[str, float]) -> QueryHealth:
    return QueryHealth(name, 1, 9.0, phases_ms, 1.0, 0, None, 0, START, False)
