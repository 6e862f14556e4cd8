from datetime import UTC, datetime
from typing import Any

import pytest
from plotly.io.json import to_json_plotly

from dashboard import panels
from dashboard.records import Ledger, QueryHealth

NOW = datetime(2026, 5, 3, 22, 10, tzinfo=UTC)


def _text(component: Any) -> str:
    return str(to_json_plotly(component))


@pytest.mark.parametrize(
    ("n_read", "is_busy", "mark"),
    [(9, False, "✓"), (12, False, "…"), (7, False, "✗"), (7, True, "…")],
)
def test_the_ledger_shows_whether_it_adds_up(
    n_read: int, is_busy: bool, mark: str
) -> None:
    book = Ledger(n_read, 3, 2, 1, 1, 1, 0, {"not_json": 1})
    verdict = panels.ledger(book, is_busy).children[0]
    assert verdict.children[0].children == mark


def test_a_stale_query_is_marked_in_the_table() -> None:
    health = [_health("intake", is_stale=False), _health("taste", is_stale=True)]
    assert _text(panels.stream_table(health)).count("stale") == 1


def test_nothing_to_show_is_said_in_words() -> None:
    assert "segue stream" in _text(panels.stream_table([]))


def _health(name: str, is_stale: bool) -> QueryHealth:
    return QueryHealth(name, 1, 9.0, {}, 1.0, 0, 600.0, 0, NOW, is_stale)
