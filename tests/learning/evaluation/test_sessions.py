"""Methods and questions about sessions, by hand."""

from dataclasses import replace

import numpy as np

from learning.evaluation.judging import Shares, going_on, judge_all
from learning.evaluation.sessions import continuation_ground, radio_ground
from learning.evaluation.splits import begun_sessions
from models.recommenders.baselines import fit_popular
from models.recommenders.plays import Plays
from models.recommenders.sessions import (
    OfSession,
    fit_followers,
    fit_sessions_alike,
    last_sessions,
)

HOUR = 3_600
N_ITEMS = 8


def plays_of(*said: tuple[int, int, float, int]) -> Plays:
    """Return plays of (listener, item, weight, minute)."""
    who, items, weights, minutes = zip(*said, strict=True)
    return Plays(
        np.array(who, dtype=np.int32),
        np.array(items, dtype=np.int32),
        np.array(weights, dtype=np.float64),
        1_000_000 + 60 * np.array(minutes),
        4,
        N_ITEMS,
    )


# two played 1, 2, 3 one after the other, and the third 5, 6
LEARNED = plays_of(
    *[(0, item, 1.0, 3 * item) for item in (1, 2, 3)],
    *[(1, item, 1.0, 3 * item) for item in (1, 2, 3)],
    *[(2, 5, 1.0, 0), (2, 7, -1.0, 1), (2, 6, 1.0, 3)],
)
NOW = plays_of((3, 5, 1.0, 0), (3, 1, 1.0, 90), (3, 2, 1.0, 93), (3, 4, -1.0, 94))


def test_what_was_heard_last_says_most_of_what_comes_next() -> None:
    (scores,) = fit_followers(LEARNED, 4).scores(NOW.histories().pick(np.array([3])))
    assert np.argsort(-scores)[0] == 3
    # 5 was heard in an earlier session
    assert scores[6] == 0
    after_2, after_1 = 2 / (np.sqrt(4) + 5), 2 * 0.5 / (np.sqrt(4) + 5)
    most = sum(1 / n for n in range(1, 6))
    expected = (after_2 + 0.5 * after_1) / 1.5 / most
    np.testing.assert_allclose(scores[3], expected, rtol=1e-6)


def test_a_skip_stands_in_no_session() -> None:
    follows = fit_followers(LEARNED, 4).follows.toarray()
    assert follows[5, 6] > 0
    assert not follows[:, 7].any()
    assert not follows[7].any()


def test_sessions_like_the_present_one_vote() -> None:
    method = fit_sessions_alike(LEARNED, 10)
    assert method.units.shape[0] == 3
    (scores,) = method.scores(NOW.histories().pick(np.array([3])))
    assert np.argmax(np.where(np.isin(np.arange(N_ITEMS), [1, 2]), 0, scores)) == 3
    assert scores[6] == 0
    (one,) = fit_sessions_alike(LEARNED, 1).scores(NOW.histories().pick(np.array([3])))
    assert one[3] > 0


def test_only_the_last_session_of_a_history_is_asked_about() -> None:
    session = last_sessions(NOW.histories())
    assert session.table.toarray()[3].nonzero()[0].tolist() == [1, 2, 4]
    assert session.last_s.toarray()[3].nonzero()[0].tolist() == [1, 2, 4]
    popular = OfSession(fit_popular(LEARNED))
    assert popular.name == "popular of the session"
    assert popular.scores(NOW.histories()).shape == (4, N_ITEMS)


def test_a_session_is_halved_and_only_the_first_of_a_listener() -> None:
    after = plays_of(
        (0, 1, 1.0, 0),  # a session of one play is none
        *[(0, item, 1.0, 60 + item) for item in (2, 3, 4)],
        *[(0, item, 1.0, 200 + item) for item in (5, 6)],
        (1, 7, -1.0, 0),
        *[(2, item, 1.0, item) for item in (1, 2, 3, 4)],
    )
    begun, rest = begun_sessions(after, lambda n: (n + 1) // 2)
    assert list(zip(begun.listeners, begun.items, strict=True)) == [
        *[(0, 2), (0, 3), (2, 1), (2, 2)]
    ]
    assert list(zip(rest.listeners, rest.items, strict=True)) == [
        *[(0, 4), (2, 3), (2, 4)]
    ]
    nobody = begun_sessions(plays_of((0, 1, 1.0, 0)), lambda _: 1)
    assert [len(each.items) for each in nobody] == [0, 0]


def test_what_was_played_in_the_session_is_not_asked_for_again() -> None:
    before = plays_of((0, 4, 1.0, 0), (0, 5, 1.0, 1), (1, 4, 1.0, 0))
    after = plays_of(
        *[(0, item, 1.0, 500 + at) for at, item in enumerate([1, 2, 1, 4])]
    )
    ground = continuation_ground(before, after)
    rows = ground.listeners()
    (task,) = going_on("continuation")(ground, rows, ground.heard.pick(rows))
    assert task.excluded[0].nonzero()[0].tolist() == [1, 2]
    # 4 was known before, and may come again
    assert task.relevant[0].nonzero()[0].tolist() == [4]
    radio = radio_ground(before, after)
    assert radio.heard.last_s.toarray()[0].nonzero()[0].tolist() == [1]
    (task,) = going_on("radio")(radio, rows, radio.heard.pick(rows))
    assert task.excluded[0].nonzero()[0].tolist() == [1]
    assert task.relevant[0].nonzero()[0].tolist() == [2, 4]
    figures, _ = judge_all(
        [fit_followers(after, 3), fit_popular(before)],
        Shares({"radio": {"popular": 1.0}}, "popular"),
        radio,
        going_on("radio"),
    )
    assert figures["radio", "all", "followers"]["hit_rate"].tolist() == [1.0]
    # both listeners of the past know 4, of whom one is asked
    assert (radio.n_active, radio.n_heard_by[4]) == (2, 2)


def test_a_like_is_no_play_of_a_session() -> None:
    said = plays_of(
        *[(0, 1, 1.0, 0), (0, 1, 1.0, 1), (0, 2, 1.0, 3)],
        *[(1, 3, 1.0, 0), (1, 3, 1.0, 1), (1, 4, 1.0, 90), (1, 5, 1.0, 93)],
    )
    is_play = np.array([True, False, True, True, False, True, True])
    plays = replace(said, is_play=is_play)
    follows = fit_followers(plays, 4).follows.toarray()
    alone = fit_followers(said.pick(is_play), 4).follows.toarray()
    np.testing.assert_array_equal(follows, alone)
    begun, rest = begun_sessions(plays, lambda _: 1)
    # a play and its like are no session of two
    assert begun.items.tolist() == [1, 4]
    assert rest.items.tolist() == [2, 5]
    # it was heard when it was played, not when it was liked
    last_s = plays.histories().last_s.toarray()
    assert last_s[0, 1] == 1_000_000
