from datetime import UTC, datetime, timedelta

from dashboard.figures import batch_figure, plays_figure
from dashboard.records import MinuteOfPlays, QueryHealth

START = datetime(2026, 5, 3, 22, 10, tzinfo=UTC)


def test_bars_stack_to_all_plays_of_a_minute() -> None:
    minutes = [MinuteOfPlays(START + timedelta(minutes=n), 5, 2) for n in range(3)]
    heard, skipped = plays_figure(minutes).data
    assert list(heard.y) == [3, 3, 3]
    assert list(skipped.y) == [2, 2, 2]


def test_more_skips_than_plays_in_a_minute_draw_no_negative_bar() -> None:
    heard, _ = plays_figure([MinuteOfPlays(START, 1, 4)]).data
    assert list(heard.y) == [0]


def test_each_phase_is_a_bar_and_a_missing_one_is_zero() -> None:
    queries = [
        _health("intake", {"addBatch": 9.0}),
        _health("taste", {"walCommit": 4.0}),
    ]
    figure = batch_figure(queries)
    assert {bar.name: list(bar.x) for bar in figure.data} == {
        "addBatch": [9.0, 0],
        "walCommit": [0, 4.0],
    }


def _health(name: str, phases_ms: dict[str, float]) -> QueryHealth:
    return QueryHealth(name, 1, 9.0, phases_ms, 1.0, 0, None, 0, START, False)
