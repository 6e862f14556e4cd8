"""What others play, in a list: by hand, and the laws that hold with it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.evidence import evidence_of
from models.factors import fold_in
from models.learned import Learned, learned_for, opinion_of
from models.listens import Listen
from models.ranking import Ranked, rank
from models.scaling import over_greatest
from segue.settings import TasteSettings
from segue.trained_model import create_model
from tests.factories import START, create_index
from tests.models.models import N_KNOWN, create_learned, create_trained, nobody
from tests.models.test_ranking import ALONE, INDEX, PLAIN, WHOLE, ids_of, request

LISTENS = [Listen("t001", 1.0, START), Listen("t002", -0.5, START)]
UNKNOWN = [Listen(INDEX.track_ids[N_KNOWN + 1], 1.0, START)]
SEEDED = PLAIN.model_copy(update={"n_seeds": 2, "variety": 0.1})


def listed(
    listens: list[Listen],
    learned: Learned | None,
    settings: TasteSettings = WHOLE,
    excluded: frozenset[str] = frozenset(),
) -> Ranked:
    asked = request(listens, excluded)
    return rank([asked], INDEX, ALONE, settings, learned)[0]


def test_a_score_is_that_of_the_parts_by_hand() -> None:
    learned = create_learned(INDEX)
    plain = {each.track_id: each for each in listed(LISTENS, None).rows}
    ranked = listed(LISTENS, learned)
    # of the two, only the first was heard to the end
    next_up = np.zeros(len(INDEX.track_ids))
    for near, likeness in zip(*(each[1] for each in learned.followers), strict=True):
        if near >= 0:
            next_up[near] = likeness
    next_up /= next_up.max()
    mine = fold_in(
        learned.factors, np.array([1, 2], dtype=np.int32), np.array([1.0, -0.5])
    )
    liked = learned.factors.vectors.astype(float) @ mine
    votes = np.zeros(len(INDEX.track_ids))
    for heard, weight in ((1, 1.0), (2, -0.5)):
        rows, said = learned.neighbours.rows[heard], learned.neighbours.likeness[heard]
        for near, likeness in zip(rows, said, strict=True):
            if near >= 0:
                votes[near] += weight * likeness / 1.5
    liked /= np.abs(liked).max()
    votes /= np.abs(votes).max()
    assert ranked.model_version == learned.version
    for row in ranked.rows:
        at = INDEX.row_of[row.track_id]
        parts = row.parts
        assert parts["collaborative"] == pytest.approx(0.3 * liked[at])
        assert parts["neighbours"] == pytest.approx(0.2 * votes[at])
        assert parts["followers"] == pytest.approx(0.1 * next_up[at])
        assert row.follows == ("t001" if next_up[at] else None)
        taste = 0.4 * plain[row.track_id].score
        others = parts["collaborative"] + parts["neighbours"] + parts["followers"]
        assert row.score == pytest.approx(taste + others, abs=1e-6)
        assert sum(parts.values()) == pytest.approx(row.score, abs=1e-12)
    assert ids_of(ranked.rows) != ids_of(listed(LISTENS, None).rows)


def test_the_neighbour_is_what_was_heard_and_speaks_for_it() -> None:
    learned = create_learned(INDEX)
    for row in listed(LISTENS, learned).rows:
        near = learned.neighbours.rows[1].tolist()
        is_near = INDEX.row_of[row.track_id] in near
        assert row.neighbour == ("t001" if is_near else None)


def test_a_listener_of_whom_the_model_knows_nothing_gets_the_taste_alone() -> None:
    with_model, without = (
        listed(UNKNOWN, create_learned(INDEX)),
        listed(UNKNOWN, None),
    )
    assert with_model == without
    assert with_model.model_version is None


def test_who_only_skipped_gets_the_taste_alone() -> None:
    skipped = [Listen("t002", -1.0, START)]
    with_model = listed(skipped, create_learned(INDEX))
    assert with_model == listed(skipped, None)
    assert with_model.model_version is None


def test_a_model_without_a_share_changes_no_order() -> None:
    ranked = listed(LISTENS, create_learned(INDEX, 0.0, 0.0, 0.0))
    assert ids_of(ranked.rows) == ids_of(listed(LISTENS, None).rows)


def test_what_only_others_like_comes_into_a_list() -> None:
    one = PLAIN.model_copy(update={"n_recommendations": 1})
    learned = create_learned(INDEX, 1.0, 0.0, 0.0)
    mine = opinion_of(learned, evidence_of(LISTENS, INDEX), [], INDEX).factors
    best = int(np.argmax(learned.factors.vectors @ mine))
    assert ids_of(listed(LISTENS, learned, one).rows) == [INDEX.track_ids[best]]
    out = frozenset([INDEX.track_ids[best]])
    assert out.isdisjoint(ids_of(listed(LISTENS, learned, one, out).rows))


def test_a_track_of_which_the_model_knows_one_thing_says_that() -> None:
    trained = create_trained(INDEX)
    no_factors, none = np.zeros_like(trained.factors), nobody(trained)
    for part, factors, neighbours, followers in (
        ("collaborative", trained.factors, none, none),
        ("neighbours", no_factors, trained.neighbours, none),
        ("followers", no_factors, none, trained.followers),
    ):
        model = create_model(
            trained.track_ids, factors, neighbours, followers, trained.facts
        )
        ranked = listed(LISTENS, learned_for(model, INDEX))
        assert ranked.model_version == model.version
        assert any(row.parts[part] > 0 for row in ranked.rows)


def test_how_heavy_all_listens_are_together_says_nothing() -> None:
    learned = create_learned(INDEX)
    light = [Listen(name, weight / 10, at) for name, weight, at in LISTENS]
    for listens in (LISTENS, light):
        opinion = opinion_of(learned, evidence_of(listens, INDEX), [], INDEX)
        np.testing.assert_allclose(opinion.neighbours.weights, [1.0, -0.5])


def test_what_the_factors_like_most_is_a_candidate_wherever_it_sounds() -> None:
    one = PLAIN.model_copy(update={"n_recommendations": 1})
    trained = create_trained(INDEX, 1.0, 0.0, 0.0)
    near = [row.track_id for row in listed(LISTENS, None).rows][:20]
    factors = np.zeros_like(trained.factors)
    factors[:, 0] = [float(name not in near) for name in trained.track_ids]
    factors[1, 0] = 1.0  # what was heard
    known = enumerate(INDEX.track_ids[:N_KNOWN])
    far = next(n for n, name in known if name not in near)
    factors[far, 0] = 3.0
    model = create_model(
        trained.track_ids,
        factors,
        nobody(trained),
        nobody(trained),
        trained.facts,
    )
    ranked = listed(LISTENS[:1], learned_for(model, INDEX), one)
    assert ids_of(ranked.rows) == [INDEX.track_ids[far]]


def test_scores_are_put_over_their_greatest_amount() -> None:
    scaled = over_greatest(np.array([[-4.0, 2.0], [0.0, 0.0], [1.0, 0.5]]))
    assert scaled.tolist() == [[-1.0, 0.5], [0.0, 0.0], [1.0, 0.5]]


def test_a_model_follows_an_index_that_grows() -> None:
    trained = create_trained(INDEX)
    larger = create_index(60)
    grown = learned_for(trained, larger)
    assert grown.factors.vectors.shape == (60, 4)
    assert not grown.factors.vectors[N_KNOWN:].any()
    assert (grown.neighbours.rows[N_KNOWN:] == -1).all()
    # the one that the index lacks is nobody's neighbour
    assert grown.neighbours.rows.max() < N_KNOWN
    is_none = grown.neighbours.rows < 0
    assert (grown.neighbours.likeness[is_none] == 0).all()


@given(
    st.lists(
        st.tuples(
            st.sampled_from(INDEX.track_ids),
            st.sampled_from([-2.0, -1.0, -0.3, 0.5, 1.0, 2.0]),
        ),
        max_size=12,
    ),
    st.sets(st.sampled_from(INDEX.track_ids), max_size=30),
)
def test_laws_of_a_list_with_a_model(
    said: list[tuple[str, float]], out: set[str]
) -> None:
    learned = create_learned(INDEX)
    listens = [Listen(name, weight, START) for name, weight in said]
    asked = request(listens, frozenset(out))
    others = request(LISTENS)
    ranked = rank([others, asked], INDEX, ALONE, SEEDED, learned)[1]
    assert rank([asked], INDEX, ALONE, SEEDED, learned)[0] == ranked
    names = ids_of(ranked.rows)
    assert len(set(names)) == len(names) <= SEEDED.n_recommendations
    assert out.isdisjoint(names)
    for row in ranked.rows:
        assert sum(row.parts.values()) == pytest.approx(row.score, abs=1e-9)
        assert row.parts["neighbours"] + row.parts["collaborative"] >= -0.5 - 1e-9
        assert 0 <= row.parts["followers"] <= 0.1 + 1e-9
        assert row.score <= 1 + 1e-6
        assert row.neighbour is None or row.neighbour in {name for name, _ in said}
