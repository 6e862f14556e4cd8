"""Is the list fresh? Each reason why not, and the sentence that says it."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from plotly.io.json import to_json_plotly

from dashboard.analytics import stream_parts
from dashboard.analytics.freshness import LastList, State, judged
from dashboard.records import QueryHealth, Waiting
from segue.delays import bin_of

NOW = datetime(2026, 5, 3, 22, 10, tzinfo=UTC)


def _query(name: str, **more: Any) -> QueryHealth:
    told = QueryHealth(name, 1, 9.0, {}, 1.0, 0, 600.0, 0, NOW, is_stale=False)
    return replace(told, **more)


GOOD = State(
    queries=[_query("intake"), _query("taste")],
    ages_s={"intake": 1.0, "taste": 0.5},
    delays={bin_of(0.9): 95, bin_of(1.9): 5},
    last=LastList(0.94, 12.3),
)


def _taste(**more: Any) -> State:
    return replace(GOOD, queries=[_query("intake"), _query("taste", **more)])


def test_a_fresh_list_says_how_fresh() -> None:
    assert judged(GOOD) == (
        True,
        "the last list came 0.9 s after its event, 12 s ago; nothing waits.",
    )
    nothing = replace(GOOD, delays={}, last=None)
    assert judged(nothing) == (True, "no list was made yet, and nothing waits.")


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (
            replace(GOOD, queries=[_query("intake")]),
            "query taste has never reported; start the stream with “segue stream”.",
        ),
        (
            replace(GOOD, ages_s={"taste": 40.4}),
            "query taste last reported 40 s ago.",
        ),
        (_taste(busy_s=130.0), "query taste has been at one micro-batch for 2 min."),
        (_taste(n_waiting=12_000), "12,000 messages wait in Kafka."),
        (
            replace(GOOD, n_due=1, due_s=90.0),
            "1 list is to follow; the oldest has waited for 90 s.",
        ),
        (
            replace(GOOD, delays={bin_of(0.9): 90, bin_of(6.0): 10}),
            "the p95 of 100 lists of the last 5 minutes came 5.8 s after its event, "
            "over 2 s.",
        ),
        (
            replace(GOOD, delays={bin_of(6.0): 1}),
            "the median of 1 list of the last 5 minutes came 5.8 s after its event, "
            "over 2 s.",
        ),
    ],
)
def test_a_list_that_is_not_fresh_says_why(state: State, reason: str) -> None:
    assert judged(state) == (False, reason)
    line = _text(stream_parts.fresh(state))
    assert reason in line
    # not by colour alone
    assert '"No"' in line
    assert "is-bad" in line


@pytest.mark.parametrize(
    "state",
    [
        replace(GOOD, ages_s={"taste": 30.0, "intake": 900.0}),
        _taste(busy_s=30.0, n_waiting=1_000),
        replace(GOOD, n_due=500, due_s=30.0),
        # of few lists one that came late does not decide
        replace(GOOD, delays={bin_of(0.5): 18, bin_of(300.0): 1}),
        replace(GOOD, delays={bin_of(1.9): 100}),
    ],
)
def test_up_to_its_threshold_all_is_well(state: State) -> None:
    assert judged(state).is_fresh
    assert '"Yes"' in _text(stream_parts.fresh(state))


def test_the_tiles_say_what_is_over_its_threshold() -> None:
    slow = replace(GOOD, delays={bin_of(0.9): 90, bin_of(6.0): 10}, n_due=3)
    p50, p95, _, waiting, stream = map(_text, stream_parts.tiles(slow))
    assert "0.87 s" in p50
    assert "fresh: 100 lists of the last 5 minutes" in p50
    assert "5.83 s" in p95
    assert "slow: 100 lists" in p95
    assert "3 lists to follow" in waiting
    assert "live" in stream
    many = _text(stream_parts.tiles(_taste(n_waiting=1_001))[3])
    assert "1,001" in many
    assert "many" in many
    quiet = replace(GOOD, queries=[_query("taste", is_stale=True)])
    assert "quiet" in _text(stream_parts.tiles(quiet)[-1])
    nothing = State([], {}, {}, None)
    assert "not started" in _text(stream_parts.tiles(nothing)[-1])
    assert "no list of the last 5 minutes" in _text(stream_parts.tiles(nothing)[0])


def test_what_waits_is_told_by_partition() -> None:
    parts = [Waiting("ev", 0, 7), Waiting("ev", 1, 1_200)]
    told = _text(stream_parts.waiting_table(_taste(waiting=parts)))
    assert told.count("ev") == 2
    assert "1,200" in told
    assert "No query has said" in _text(stream_parts.waiting_table(GOOD))


def test_what_is_not_counted_is_said_beside() -> None:
    said = replace(GOOD, uncounted="The archive has 2 dates …")
    assert "The archive has 2 dates" in _text(stream_parts.fresh(said))
    assert judged(said).is_fresh


def _text(component: Any) -> str:
    return str(to_json_plotly(component))
