"""Documents of all listeners, without Spark: what they leave out."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from learning.population_documents import (
    Cell,
    Cluster,
    cohort_documents,
    over_weeks,
    session_documents,
    shares_kept,
)
from segue.population import monday_of, week_of
from segue.small_groups import LEAST, is_few, tells_of_few

WEEK = week_of(date(2026, 5, 4))


@st.composite
def cohorts(draw: st.DrawFn) -> dict[tuple[int, int], int]:
    """Return how many of each first week played in each of some weeks."""
    told = {}
    for first in range(6):
        size = draw(st.integers(0, 30))
        for week in range(first, 6):
            n = size if week == first else draw(st.integers(0, size))
            if n:
                told[WEEK + first, WEEK + week] = n
    return told


@given(cohorts())
def test_no_number_tells_of_few(told: dict[tuple[int, int], int]) -> None:
    cells = [Cell(first, week, n) for (first, week), n in told.items()]
    documents = cohort_documents(cells, WEEK + 5)
    shown: dict[tuple[int, int], int] = {}
    for each in documents:
        first = week_of(each["first_week"].date())
        assert each["n_listeners"] == told[first, first] >= LEAST
        for since, n in enumerate(each["played"]):
            if n is not None:
                assert n == told.get((first, first + since), 0)
                assert not tells_of_few(n, each["n_listeners"])
                shown[first, first + since] = n
    sizes = {first: n for (first, week), n in told.items() if first == week}
    hidden = [n for first, n in sizes.items() if (first, first) not in shown]
    assert len(hidden) != 1 or len(sizes) == 1
    for week in range(WEEK, WEEK + 6):
        left = [n for (f, at), n in told.items() if at == week and (f, at) not in shown]
        others = [f for f, at in shown if at == week and f < week and shown[f, at]]
        # only where there is nothing that could be hidden beside it
        assert not others or (len(left) != 1 and not is_few(sum(left)))


def test_weeks_after_the_last_one_are_not_told() -> None:
    cells = [Cell(WEEK, WEEK, 9), Cell(WEEK, WEEK + 1, 9), Cell(WEEK + 1, WEEK + 1, 9)]
    (only,) = cohort_documents(cells, WEEK)
    assert only["_id"] == f"cohort|{monday_of(WEEK)}"
    assert only["played"] == [9]
    assert cohort_documents([], WEEK) == []


def test_a_date_of_few_is_not_written() -> None:
    names = ("n_sessions", "n_plays", "heard_ms", "length_ms")
    rows = [
        {"day": 3, "n_listeners": n, "lengths": [1, 2], **dict.fromkeys(names, 7)}
        for n in (LEAST - 1, LEAST)
    ]
    (only,) = session_documents(rows)
    assert only["_id"] == "sessions|1970-01-04"
    assert only["n_listeners"] == LEAST


def test_shares_are_of_those_whose_week_is_over() -> None:
    could, did = over_weeks({WEEK: 10, WEEK + 2: 20}, {0: 30, 1: 8, 2: 5}, WEEK + 2)
    assert could == [30, 10, 10]
    assert did == [30, 8, 5]
    # of the second week two of ten would be told apart
    assert shares_kept([Cluster(30, 1, 0, could, did)]) == [[1.0, None, 0.5]]
    assert over_weeks({WEEK + 1: 9}, {}, WEEK) == ([], [])
    assert shares_kept([Cluster(9, 1, 0, [], [])]) == [[]]


def test_who_came_alone_in_a_week_is_not_told_by_a_denominator() -> None:
    # 12, then 11, then 6 of whom something is told
    kept = shares_kept([Cluster(12, 1, 0, [12, 11, 6], [12, 6, 6])])
    assert kept == [[1.0, None, 1.0]]
    # of many a percent is more than one person
    many = shares_kept([Cluster(1_002, 1, 0, [1_001, 1_000], [1_001, 500])])
    assert many == [[1.0, 0.5]]


def test_one_cluster_is_not_told_by_all_others() -> None:
    some = [Cluster(20, 1, 0, [20], [10]), Cluster(20, 1, 0, [20], [3])]
    assert shares_kept(some) == [[], []]
