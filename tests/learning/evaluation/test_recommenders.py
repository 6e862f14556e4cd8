"""Laws that every method obeys, and what each is by hand."""

import pickle
import pkgutil
from importlib import import_module

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

import models.recommenders
from learning.evaluation.methods import BASELINES, Fitting, fit_all, with_sessions
from models.recommenders.base import Recommender, best_items
from models.recommenders.baselines import LastHeard, fit_popular, fit_trending
from models.recommenders.content import content_of
from models.recommenders.hybrid import blended, learn_shares
from models.recommenders.learned import fit_listener_neighbours
from models.recommenders.plays import Histories, Plays
from segue.settings import LearningSettings
from segue.track_index import create_track_index
from tests.factories import create_index

N_ITEMS, N_LISTENERS = 12, 20
WEEK_S = 7 * 86_400


def some_plays(n: int = 160, seed: int = 0) -> Plays:
    rng = np.random.default_rng(seed)
    return Plays(
        rng.integers(N_LISTENERS, size=n).astype(np.int32),
        rng.integers(N_ITEMS - 1, size=n).astype(np.int32),  # nobody plays the last
        rng.choice([-1.0, 0.5, 1.0], size=n, p=[0.2, 0.2, 0.6]),
        rng.integers(1, 10 * WEEK_S, size=n),
        N_LISTENERS,
        N_ITEMS,
    )


def some_factors(table: sparse.csr_array) -> np.ndarray:
    """Return factors by a singular value decomposition: any will do for a law."""
    _, strengths, items = np.linalg.svd(table.toarray())
    return np.asarray(items[:4].T * strengths[:4], dtype=np.float32)


_PLAIN = create_index(N_ITEMS)
SCALES = np.linspace(0.5, 2, N_ITEMS).astype(np.float32)
INDEX = create_track_index("scaled", _PLAIN.track_ids, _PLAIN.vectors, SCALES)
ITEMS = [*INDEX.track_ids[: N_ITEMS - 1], "without features"]
FITTING = Fitting(
    LearningSettings(), some_factors, has_times=True, content=content_of(ITEMS, INDEX)
)


def every_method() -> dict[str, Recommender]:
    return {each.name: each for each in with_sessions(fit_all(some_plays(), FITTING))}


METHODS = every_method()


def test_there_are_all_of_them() -> None:
    """Each class of the package that scores is a method here, under some name."""
    found = {
        each
        for module in pkgutil.iter_modules(models.recommenders.__path__)
        for each in vars(import_module(f"models.recommenders.{module.name}")).values()
        if isinstance(each, type) and hasattr(each, "scores")
    }
    assert found - {Recommender} == {type(each) for each in METHODS.values()}
    assert set(METHODS) > {*BASELINES}


@pytest.fixture(params=sorted(METHODS))
def method(request: pytest.FixtureRequest) -> Recommender:
    return METHODS[request.param]


def history_of(*lines: dict[int, float]) -> Histories:
    table = np.zeros((len(lines), N_ITEMS))
    for row, line in enumerate(lines):
        for item, weight in line.items():
            table[row, item] = weight
    last_s = np.cumsum(table != 0).reshape(table.shape) * (table != 0)
    return Histories(sparse.csr_array(table), sparse.csr_array(last_s))


SOME = history_of({0: 1.0, 3: -0.5}, {}, {N_ITEMS - 1: 1.0}, {5: 0.2, 6: 3.0})


def test_scores_are_finite_one_for_each_item(method: Recommender) -> None:
    scores = method.scores(SOME)
    assert scores.shape == (4, N_ITEMS)
    assert np.isfinite(scores).all()


def test_the_same_history_has_the_same_scores_whoever_is_asked_beside_it(
    method: Recommender,
) -> None:
    together = method.scores(SOME)
    for row in range(4):
        alone = method.scores(SOME.pick(np.array([row])))
        np.testing.assert_allclose(alone[0], together[row], atol=1e-9)


def test_nothing_that_it_is_given_changes(method: Recommender) -> None:
    before = SOME.table.copy()
    last_s = SOME.last_s.copy()
    method.scores(SOME)
    assert (SOME.table != before).nnz == 0
    assert (SOME.last_s != last_s).nnz == 0


def test_a_method_is_the_same_when_it_was_stored_and_read(
    method: Recommender,
) -> None:
    again: Recommender = pickle.loads(pickle.dumps(method))
    assert again.name == method.name
    assert (again.scores(SOME) == method.scores(SOME)).all()


def test_who_is_new_gets_what_is_popular_or_nothing(method: Recommender) -> None:
    (scores,) = method.scores(history_of({}))
    if method.name == "random":
        return
    popular = METHODS["popular"].scores(history_of({}))[0]
    trending = METHODS["trending"].scores(history_of({}))[0]
    of_all = (popular, trending)
    assert not scores.any() or any((scores == each).all() for each in of_all)


@given(st.sets(st.integers(0, N_ITEMS - 1)), st.integers(1, N_ITEMS))
def test_lists_have_their_length_and_nothing_that_is_excluded(
    out: set[int], k: int
) -> None:
    excluded = np.zeros((4, N_ITEMS), dtype=bool)
    excluded[:, list(out)] = True
    for each in METHODS.values():
        for line in best_items(each.scores(SOME), k, excluded):
            listed = [item for item in line if item >= 0]
            assert len(listed) == min(k, N_ITEMS - len(out))
            assert len(set(listed)) == len(listed)
            assert out.isdisjoint(listed)


@pytest.mark.parametrize("n", [1, 2])
def test_the_least_that_can_be_fitted(n: int) -> None:
    plays = some_plays(n, seed=5)
    for each in with_sessions(fit_all(plays, FITTING)):
        assert np.isfinite(each.scores(SOME)).all()


def plays_by_hand(*said: tuple[int, int, float, int]) -> Plays:
    listeners, items, weights, at_s = zip(*said, strict=True)
    return Plays(
        np.array(listeners, dtype=np.int32),
        np.array(items, dtype=np.int32),
        np.array(weights),
        np.array(at_s),
        max(listeners) + 1,
        N_ITEMS,
    )


def test_trending_is_what_is_played_of_late() -> None:
    old = [(n, 1, 1.0, 100) for n in range(5)]
    plays = plays_by_hand(*old, (0, 2, 1.0, 10 * WEEK_S), (1, 3, -1.0, 10 * WEEK_S))
    (trending,) = fit_trending(plays, WEEK_S).scores(history_of({}))
    (popular,) = fit_popular(plays).scores(history_of({}))
    assert trending[2] == 1.0
    assert trending[1] == pytest.approx(5 * 0.5**10, rel=1e-3)
    assert popular[1] == 5
    assert trending[3] == popular[3] == 0


def test_last_heard_is_in_the_order_of_time_and_without_what_was_skipped() -> None:
    plays = plays_by_hand(
        (0, 4, 9.0, 50), (0, 5, 1.0, 70), (0, 6, -1.0, 90), (0, 7, 1.0, 60)
    )
    (scores,) = LastHeard().scores(plays.histories())
    assert np.argsort(-scores, kind="stable")[:3].tolist() == [5, 7, 4]
    assert (np.delete(scores, [4, 5, 7]) == 0).all()


def test_only_the_nearest_listeners_vote() -> None:
    plays = plays_by_hand(
        (0, 1, 1.0, 1), (0, 2, 1.0, 1), (1, 1, 1.0, 1), (1, 3, 9.0, 1), (2, 5, 1.0, 1)
    )
    (one,) = fit_listener_neighbours(plays, 1).scores(history_of({1: 1.0}))
    (both,) = fit_listener_neighbours(plays, 2).scores(history_of({1: 1.0}))
    assert one[2] > 0 == one[3]
    assert both[3] > 0


def test_what_was_heard_is_known_where_no_times_are() -> None:
    plays = plays_by_hand((0, 1, 1.0, 0), (0, 2, -1.0, 0))
    assert (plays.histories().last_s.toarray()[0, :3] > 0).tolist() == [
        *(False, True, True)
    ]


def test_histories_say_what_and_when_last() -> None:
    plays = Plays(
        np.array([1, 0, 1, 1, 2, 2], dtype=np.int32),
        np.array([2, 0, 2, 1, 3, 3], dtype=np.int32),
        np.array([1.0, 0.5, -3.0, 1.0, 1.0, -1.0]),
        np.array([50, 7, 40, 60, 80, 70]),
        3,
        4,
    )
    history = plays.histories()
    table = history.table.toarray()
    assert table[1, 2] == -np.log1p(2)
    assert table[0, 0] == np.log1p(0.5)
    # what says nothing, or has come to nothing, was heard all the same
    assert history.last_s.toarray().tolist() == [
        [7, 0, 0, 0],
        [0, 60, 50, 0],
        [0, 0, 0, 80],
    ]
    assert history.table.nnz == 3
    picked = history.pick(np.array([2, 1]))
    assert picked.table.toarray().tolist() == table[[2, 1]].tolist()
    assert picked.last_s.toarray()[0].tolist() == [0, 0, 0, 80]
    scaled = history.over_heaviest().table.toarray()
    np.testing.assert_allclose(np.abs(scaled).max(axis=1), [1, 1, 0])


def test_ease_is_the_least_squares_solution_without_a_diagonal() -> None:
    plays = some_plays()
    table = np.maximum(plays.table().toarray(), 0)
    weights: np.ndarray = METHODS["ease"].weights  # type: ignore[attr-defined]
    assert not np.diag(weights).any()
    for item in range(N_ITEMS):
        others = [each for each in range(N_ITEMS) if each != item]
        given_ = table[:, others]
        squares = given_.T @ given_ + 200.0 * np.eye(len(others))
        expected = np.linalg.solve(squares, given_.T @ table[:, item])
        np.testing.assert_allclose(weights[others, item], expected, atol=1e-9)


def test_content_is_nearness_to_what_was_heard_less_what_was_skipped() -> None:
    (scores,) = METHODS["content"].scores(history_of({0: 1.0, 3: -0.5}))
    vectors, scales = INDEX.vectors.astype(float), INDEX.scales.astype(float)
    taste = vectors[0] - 0.5 * vectors[3]
    expected = 1 - (1 - vectors @ taste / np.linalg.norm(taste)) / scales
    np.testing.assert_allclose(scores[:-1], expected[:-1], atol=1e-6)
    assert scores[-1] == 0


def test_shares_are_learned_that_no_single_method_reaches() -> None:
    relevant = np.array([[1, 1, 0, 0], [1, 1, 0, 0]], dtype=bool)
    scores = {
        "one": np.array([[1.0, 0.3, 0.5, 0.0], [1.0, 0.3, 0.5, 0.0]]),
        "two": np.array([[0.3, 1.0, 0.0, 0.5], [0.3, 1.0, 0.0, 0.5]]),
        "noise": np.array([[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 1.0, 1.0]]),
    }

    def judge(each: np.ndarray) -> np.ndarray:
        lists = best_items(each, 2, np.zeros_like(relevant))
        found = np.take_along_axis(relevant, lists.astype(int), axis=1)
        return np.asarray(found.mean(axis=1))

    shares = learn_shares(scores, judge)
    assert sum(shares.values()) == pytest.approx(1.0)
    assert shares["noise"] == 0
    best = judge(blended(scores, shares, "two")).mean()
    assert best == 1.0 > judge(scores["one"]).mean()


def test_a_gain_that_may_be_chance_is_not_taken() -> None:
    """Two of nine listeners gain by the other method, and one loses."""
    relevant = np.tile(np.array([1, 0], dtype=bool), (9, 1))
    one = np.tile(np.array([1.0, 0.0]), (9, 1))
    one[:3] = [[0.4, 0.5], [0.4, 0.5], [0.5, 0.45]]
    other = np.tile(np.array([0.0, 0.1]), (9, 1))
    other[:3] = [[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]

    def judge(each: np.ndarray) -> np.ndarray:
        return np.asarray(relevant[np.arange(9), each.argmax(axis=1)], np.float64)

    assert judge(one + 0.5 * other).mean() > judge(one).mean()
    assert learn_shares({"one": one, "other": other}, judge) == {
        "one": 1.0,
        "other": 0.0,
    }


def test_what_the_blend_leaves_equal_the_fallback_orders() -> None:
    scores = {"a": np.zeros((1, 3)), "b": np.array([[0.1, 0.3, 0.2]])}
    found = blended(scores, {"a": 1.0, "b": 0.0}, "b")
    assert np.argsort(-found[0]).tolist() == [1, 2, 0]
