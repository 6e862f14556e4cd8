"""The lot: as often as stated, each candidate alike, and its propensities true."""

from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest

from models.exploration import draw, seed_of
from models.groups import TrackFacts, create_groups
from models.listens import Entry, Listen
from models.ranking import Recommendation, rank
from segue.events import Action
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
        for place, row in enumerate(rows):
            if not row.explored:
                by_lot = SHARE / (N_CANDIDATES - place)
                assert row.propensity == pytest.approx(1 - SHARE + by_lot)


def test_what_the_limits_close_is_no_candidate_of_the_lot() -> None:
    """Four artists of whom each may stand once: at the second place three are left."""
    artists = {name: f"a{row % 4}" for name, row in INDEX.row_of.items()}
    groups = create_groups(
        INDEX.track_ids,
        {name: TrackFacts(artists[name], None, None) for name in INDEX.track_ids},
    )
    settings = SETTINGS.model_copy(update={"max_per_artist": 1, "explored_share": 0.9})
    heard = request([Listen("t001", 1.0, START)])
    lists = rank(
        [replace(heard, seed=seed) for seed in range(N_LISTS)], INDEX, groups, settings
    )
    by_first: dict[str, list[list[Recommendation]]] = defaultdict(list)
    for ranked in lists:
        assert len({artists[row.track_id] for row in ranked.rows}) == 4
        by_first[artists[ranked.rows[0].track_id]].append(ranked.rows)
    for artist, rows in by_first.items():
        weights: dict[str, float] = defaultdict(float)
        for row in rows:
            weights[row[1].track_id] += 1 / row[1].propensity
        assert all(artists[name] != artist for name in weights)
        n_left = len(weights)
        spread = np.sqrt(n_left / 0.9 / len(rows))
        for weight in weights.values():
            assert weight / len(rows) == pytest.approx(1, abs=5 * spread)


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
    """Who is drawn stays drawn when others come or go, of an index, too."""
    names = [f"t{number:03d}" for number in range(100)]
    some = [name for number, name in enumerate(names) if number % 3]
    whole, part = draw(7, 0.5, 20, names), draw(7, 0.5, 20, ["a", *some])
    assert whole.is_open.tolist() == part.is_open.tolist()
    key_of = dict(zip(names, whole.keys.tolist(), strict=True))
    assert [key_of[name] for name in some] == part.keys.tolist()[1:]
    assert len(set(whole.keys.tolist())) == 100


def entry(name: str, action: Action = Action.COMPLETED) -> Entry:
    return Entry(name, action, "t001", "p", 0, 60_000, START)


def test_each_listener_and_act_has_lots_of_its_own() -> None:
    seeds = {
        seed_of(user, [entry(f"e{number}")])
        for user in ("ada", "bob", "")
        for number in range(100)
    }
    assert len(seeds) == 300
    assert all(0 <= seed < 2**64 for seed in seeds)


def test_the_lot_stays_while_a_play_goes_on() -> None:
    started = [entry("e1", Action.STARTED)]
    going_on = [*started, entry("e2", Action.PROGRESSED)]
    assert seed_of("ada", started) == seed_of("ada", going_on)
    assert seed_of("ada", [*going_on, entry("e3")]) != seed_of("ada", started)
    assert seed_of("ada", going_on[1:]) == seed_of("ada", going_on[1:])


def test_after_an_act_a_list_has_a_lot_that_the_one_before_says_nothing_of() -> None:
    """The first row was played: whether by lot or not, the next lot is another."""
    weights: dict[bool, list[float]] = {True: [], False: []}
    heard = [Listen("t001", 1.0, START), Listen("t002", 0.5, START)]
    settings = SETTINGS.model_copy(update={"n_recommendations": 1})
    asked = [
        replace(request(heard), seed=seed_of(f"u{n}", [entry("e1")]))
        for n in range(N_LISTS)
    ]
    first = rank(asked, INDEX, ALONE, settings)
    again = [
        replace(
            request(heard, frozenset({ranked.rows[0].track_id})),
            seed=seed_of(f"u{n}", [entry("e1"), entry("e2")]),
        )
        for n, ranked in enumerate(first)
    ]
    for before, after in zip(first, rank(again, INDEX, ALONE, settings), strict=True):
        weights[before.rows[0].explored].append(1 / after.rows[0].propensity)
    # of 4 * 1 + 16 candidates
    for said in weights.values():
        assert np.mean(said) == pytest.approx(20, rel=0.25)
