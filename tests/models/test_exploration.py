"""The lot: as often as stated, each candidate alike, and its propensities true."""

from collections import defaultdict
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from models.exploration import draw, seed_of
from models.listens import Listen
from models.ranking import Recommendation, rank
from tests.factories import START
from tests.models.test_ranking import ALONE, INDEX, PLAIN, request

N_LISTS = 4_000
SHARE = 0.25
SETTINGS = PLAIN.model_copy(update={"n_recommendations": 4, "explored_share": SHARE})
# four places have 4 * 4 + 16 candidates
N_CANDIDATES = 32


def lists_of(seeds: range, share: float = SHARE) -> list[list[Recommendation]]:
    heard = request([Listen("t001", 1.0, START), Listen("t002", 0.5, START)])
    settings = SETTINGS.model_copy(update={"explored_share": share})
    requests = [replace(heard, seed=seed) for seed in seeds]
    return [ranked.rows for ranked in rank(requests, INDEX, ALONE, settings)]


def test_a_stated_share_of_the_places_is_given_by_lot() -> None:
    lists = lists_of(range(N_LISTS))
    for place in range(4):
        n = sum(rows[place].explored for rows in lists)
        # five standard deviations
        spread = np.sqrt(N_LISTS * SHARE * (1 - SHARE))
        assert abs(n - N_LISTS * SHARE) < 5 * spread
    both = sum(rows[0].explored and rows[1].explored for rows in lists)
    assert abs(both - N_LISTS * SHARE**2) < 5 * np.sqrt(N_LISTS * SHARE**2)


def test_weighted_by_its_inverse_propensity_each_candidate_counts_the_same() -> None:
    """The law that a counterfactual estimate stands on, at the first place."""
    lists = lists_of(range(N_LISTS))
    weights: dict[str, float] = defaultdict(float)
    for rows in lists:
        weights[rows[0].track_id] += 1 / rows[0].propensity
    assert len(weights) == N_CANDIDATES
    rarest = SHARE / N_CANDIDATES
    spread = np.sqrt((1 - rarest) / rarest / N_LISTS)
    for weight in weights.values():
        assert weight / N_LISTS == pytest.approx(1, abs=5 * spread)


def test_a_propensity_is_that_of_the_place_given_those_above() -> None:
    (best, *_), *_ = lists_of(range(1), share=0)
    for rows in lists_of(range(200)):
        likely = SHARE / N_CANDIDATES
        if rows[0].track_id == best.track_id:
            likely += 1 - SHARE
        assert rows[0].propensity == pytest.approx(likely)
        if rows[3].explored:
            at_least = SHARE / (N_CANDIDATES - 3)
            assert rows[3].propensity == pytest.approx(at_least) or (
                rows[3].propensity == pytest.approx(at_least + 1 - SHARE)
            )


def test_without_a_share_nothing_is_left_to_the_lot() -> None:
    lists = lists_of(range(20), share=0)
    assert all(rows == lists[0] for rows in lists)
    assert all(row.propensity == 1 and not row.explored for row in lists[0])


def test_a_share_of_one_gives_all_places_by_lot() -> None:
    lists = lists_of(range(400), share=1)
    assert all(row.explored for rows in lists for row in rows)
    for place in range(4):
        assert {rows[place].propensity for rows in lists} == {1 / (32 - place)}
        assert len({rows[place].track_id for rows in lists}) == N_CANDIDATES


def test_the_lot_stays_while_the_candidates_change() -> None:
    """Who is drawn stays drawn when others come or go."""
    rows = np.arange(100, dtype=np.int32)
    some = rows[rows % 3 > 0]
    whole, part = draw(7, 0.5, 20, rows), draw(7, 0.5, 20, some)
    assert whole.is_open.tolist() == part.is_open.tolist()
    assert whole.keys[some].tolist() == part.keys.tolist()
    assert len(set(whole.keys.tolist())) == 100


def test_each_listener_and_window_has_lots_of_its_own() -> None:
    seeds = {
        seed_of(user, START + timedelta(minutes=5 * number))
        for user in ("ada", "bob", "")
        for number in range(100)
    }
    assert len(seeds) == 300
    assert all(0 <= seed < 2**64 for seed in seeds)
    assert seed_of("ada", START) == seed_of("ada", START)
