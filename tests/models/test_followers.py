"""What follows what, against plain loops, and what was heard last."""

from datetime import timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.days import day_taste, past_taste
from models.followers import (
    follow_table,
    last_of_session,
    nearest_of,
    recency,
    sessions_of,
)
from models.horizons import merge_horizons
from models.listens import Entry
from segue.events import Action
from segue.settings import TasteSettings
from tests.factories import START, create_index

INDEX, SETTINGS = create_index(), TasteSettings()


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


def test_the_last_of_the_session_comes_first_and_each_track_once() -> None:
    heard = list(zip(at(30, 20, 10, 0).tolist(), "acba", strict=True))
    assert last_of_session(heard, heard[0][0]) == ["a", "c", "b"]
    np.testing.assert_allclose(recency(3), [1, 1 / 2, 1 / 3])
    assert len(recency(0)) == 0


def test_an_earlier_session_says_nothing() -> None:
    heard = list(zip(at(62, 31, 0).tolist(), "abc", strict=True))
    assert last_of_session(heard, heard[0][0]) == ["a"]
    # half an hour after the last play the session is over
    assert last_of_session(heard, heard[0][0] + 1_800) == ["a"]
    assert last_of_session(heard, heard[0][0] + 1_801) == []
    assert last_of_session([], 0.0) == []


def test_of_many_the_last_five_count() -> None:
    heard = [(1e9 - n, n) for n in range(9)]
    assert last_of_session(heard, 1e9) == [0, 1, 2, 3, 4]


def entry(
    action: Action, track_id: str, minutes: float, played_ms: int = 60_000
) -> Entry:
    moment = START + timedelta(minutes=minutes)
    name = f"{track_id}-{minutes}"
    return Entry(name, action, track_id, name, played_ms, 60_000, moment)


def session_of(entries: list[Entry]) -> list[str]:
    """Return what the last entry finds to have been heard last."""
    as_of = entries[-1].event_time
    days = {START.date(): day_taste([entry(Action.COMPLETED, "t009", -1_440)])}
    past = past_taste(days, as_of.date(), SETTINGS, INDEX)
    assert as_of.date() == START.date() or past.familiar
    return [*merge_horizons(entries, past, as_of, SETTINGS, INDEX).session]


def test_only_what_was_heard_out_in_the_session_that_lasts_counts() -> None:
    heard = [
        entry(Action.COMPLETED, "t001", 0),
        entry(Action.COMPLETED, "t002", 40),
        entry(Action.SKIPPED, "t003", 45, 0),
        entry(Action.COMPLETED, "t004", 50),
        entry(Action.LIKED, "t005", 51),
    ]
    assert session_of(heard) == ["t004", "t002"]
    # who starts something the next day is in a session of nothing yet
    assert session_of([*heard, entry(Action.STARTED, "t006", 1_200, 0)]) == []
