"""What follows what, against plain loops, and what was heard last."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.followers import follow_table, lately, nearest_of, sessions_of


def at(*minutes: float) -> np.ndarray:
    return 1e9 + 60 * np.array(minutes, dtype=np.float64)


def follows_by_hand(sessions: list[list[int]], n_items: int) -> np.ndarray:
    """Return how much each item follows each, from the description."""
    steps, counts = np.zeros((n_items, n_items)), np.zeros(n_items)
    for session in sessions:
        for place, item in enumerate(session):
            counts[item] += 1
            for distance in range(1, 6):
                if place + distance < len(session):
                    later = session[place + distance]
                    if later != item:
                        steps[item, later] += 1 / distance
    most = 1 + 1 / 2 + 1 / 3 + 1 / 4 + 1 / 5
    return np.asarray(steps / (most * (np.sqrt(counts[:, None] * counts[None, :]) + 5)))


@given(st.lists(st.lists(st.integers(0, 5), max_size=12), max_size=5))
def test_they_are_those_of_plain_loops(sessions: list[list[int]]) -> None:
    items = [item for session in sessions for item in session]
    numbers = [number for number, session in enumerate(sessions) for _ in session]
    table = follow_table(np.array(numbers, np.int64), np.array(items, np.int32), 6)
    expected = follows_by_hand(sessions, 6)
    np.testing.assert_allclose(table.toarray(), expected)
    near = nearest_of(table, 4)
    for item in range(6):
        order = np.lexsort((np.arange(6), -expected[item].round(9)))[:4]
        order = order[expected[item][order] > 0]
        assert near.rows[item].tolist() == order.tolist() + [-1] * (4 - len(order))
        said = expected[item][order].tolist() + [0.0] * (4 - len(order))
        np.testing.assert_allclose(near.likeness[item], said, atol=1e-6)


def test_half_an_hour_without_a_play_ends_a_session_and_so_does_a_listener() -> None:
    listeners = np.array([0, 0, 0, 0, 1], dtype=np.int32)
    at_s = np.array([10, 1810, 1820, 3621, 3622])
    assert sessions_of(listeners, at_s).tolist() == [0, 0, 0, 1, 2]
    nobody = np.empty(0, dtype=np.int32)
    assert len(sessions_of(nobody, nobody.astype(np.int64))) == 0


def test_the_last_of_the_session_counts_most() -> None:
    rows = np.array([7, 8, 9, 7], dtype=np.int32)
    found, weights = lately(rows, np.ones(4), at(0, 10, 20, 30))
    assert found.tolist() == [7, 9, 8]
    np.testing.assert_allclose(weights, [1, 1 / 2, 1 / 3])
    # by time, in whatever order they come
    back = lately(rows[::-1], np.ones(4), at(30, 20, 10, 0))
    assert back[0].tolist() == [7, 9, 8]


def test_a_skip_and_an_earlier_session_say_nothing() -> None:
    rows = np.arange(4, dtype=np.int32)
    weights = np.array([1.0, 1.0, -1.0, 0.5])
    assert lately(rows, weights, at(0, 31, 40, 50))[0].tolist() == [3, 1]
    assert len(lately(rows, -np.ones(4), at(0, 1, 2, 3))[0]) == 0


def test_of_many_the_last_five_count() -> None:
    rows = np.arange(9, dtype=np.int32)
    found, _ = lately(rows, np.ones(9), at(*range(9)))
    assert found.tolist() == [8, 7, 6, 5, 4]
