"""Lists against a ranking by hand, and the laws every list obeys."""

import itertools
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.days import no_past
from models.evidence import evidence_of
from models.exclusions import excluded_rows
from models.groups import TrackFacts, TrackGroups, create_groups
from models.horizons import Horizon, Horizons, direction_of, merge_horizons
from models.listens import Entry, Listen
from models.plans import Request
from models.ranking import Recommendation, rank
from models.taste import taste_of
from segue.events import Action
from segue.settings import TasteSettings
from segue.track_index import TrackIndex, create_track_index
from tests.factories import START, create_index

INDEX = create_index()
ALONE = create_groups(INDEX.track_ids, {})
PLAIN = TasteSettings(
    n_recommendations=10,
    n_seeds=0,
    variety=0,
    explored_share=0,
    today_share=0,
    month_share=0,
    always_share=0,
)
WHOLE = PLAIN.model_copy(update={"n_recommendations": 40})


def request(
    listens: list[Listen],
    excluded: frozenset[str] = frozenset(),
    index: TrackIndex = INDEX,
) -> Request:
    taste = taste_of(listens, index.row_of, index.vectors)
    horizons = Horizons(
        dict.fromkeys(Horizon, taste),
        dict.fromkeys(Horizon, len(listens)),
        evidence_of(listens, index),
        {},
        (),
        [x.track_id for x in reversed(listens) if x.weight > 0],
    )
    rows = sorted(index.row_of[x] for x in excluded if x in index.row_of)
    heard = frozenset(x.track_id for x in listens if x.weight > 0)
    return Request(horizons, np.array(rows, dtype=np.int32), heard)


def listed(
    listens: list[Listen],
    settings: TasteSettings = PLAIN,
    index: TrackIndex = INDEX,
    groups: TrackGroups = ALONE,
) -> list[Recommendation]:
    return rank([request(listens, index=index)], index, groups, settings)[0].rows


def ids_of(rows: list[Recommendation]) -> list[str]:
    return [row.track_id for row in rows]


def test_a_list_is_ordered_by_the_cosine_that_numpy_gives() -> None:
    rows = listed([Listen("t001", 1.0, START), Listen("t002", 0.5, START)])
    vector = INDEX.vectors[1] * 1.0 + INDEX.vectors[2] * 0.5
    cosines = INDEX.vectors @ vector / np.linalg.norm(vector)
    expected = np.argsort(-cosines)[:10]
    assert ids_of(rows) == [INDEX.track_ids[i] for i in expected]
    np.testing.assert_allclose([r.score for r in rows], cosines[expected], atol=1e-6)


def test_a_hub_is_ranked_by_how_near_it_is_for_a_track_of_its_kind() -> None:
    rng = np.random.default_rng(5)
    scales = rng.uniform(0.3, 3, len(INDEX.track_ids)).astype(np.float32)
    index = create_track_index("v", INDEX.track_ids, INDEX.vectors, scales)
    listens = [Listen("t001", 1.0, START), Listen("t002", -0.5, START)]
    rows, plain = listed(listens, index=index), listed(listens, WHOLE)
    cosines = np.array([row.score for row in sorted(plain, key=lambda r: r.track_id)])
    expected = 1 - (1 - cosines) / scales
    best = np.argsort(-expected)[:10]
    assert ids_of(rows) == [INDEX.track_ids[i] for i in best]
    np.testing.assert_allclose([r.score for r in rows], expected[best], atol=1e-6)
    for row in rows:
        scale = scales[index.row_of[row.track_id]]
        assert row.parts["hub"] == pytest.approx(1 - 1 / scale)


def test_a_skip_moves_the_list_away_and_the_part_says_so() -> None:
    liked = [Listen("t001", 1.0, START)]
    before = listed(liked, WHOLE)
    after = listed([*liked, Listen("t005", -1.0, START)], WHOLE)
    place = {row.track_id: row.rank for row in before}
    skipped = next(row for row in after if row.track_id == "t005")
    assert skipped.rank > place["t005"]
    assert skipped.parts["skips"] < 0


def test_a_seed_track_lifts_what_is_near_to_it() -> None:
    listens = [Listen("t001", 1.0, START), Listen("t002", 0.9, START)]
    settings = WHOLE.model_copy(update={"n_seeds": 2, "seed_share": 0.5})
    (ranked,) = rank([request(listens)], INDEX, ALONE, settings)
    assert {seed.track_id for seed in ranked.seeds} == {"t001", "t002"}
    assert sum(seed.share for seed in ranked.seeds) == pytest.approx(1.0)
    vector = INDEX.vectors[1] * 1.0 + INDEX.vectors[2] * 0.9
    cosines = INDEX.vectors @ vector / np.linalg.norm(vector)
    for row in ranked.rows:
        mine = INDEX.vectors[INDEX.row_of[row.track_id]]
        to_seeds = {"t001": mine @ INDEX.vectors[1], "t002": mine @ INDEX.vectors[2]}
        assert row.seed == max(to_seeds, key=lambda name: to_seeds[name])
        nearest = max(to_seeds.values())
        assert row.parts["seeds"] == pytest.approx(0.5 * nearest, abs=1e-6)
        mean = 0.5 * cosines[INDEX.row_of[row.track_id]]
        assert row.score == pytest.approx(mean + 0.5 * nearest, abs=1e-6)


def test_one_of_each_recording_and_few_of_an_artist_and_an_album() -> None:
    facts = {
        name: TrackFacts(f"a{row % 4}", f"b{row % 8}", f"r{row // 2 * 2}")
        for name, row in INDEX.row_of.items()
    }
    groups = create_groups(INDEX.track_ids, facts)
    settings = WHOLE.model_copy(update={"max_per_artist": 3, "max_per_album": 2})
    rows = listed([Listen("t001", 1.0, START)], settings, groups=groups)
    for place, most in ((0, 3), (1, 2), (2, 1)):
        names = [facts[row.track_id][place] for row in rows]
        assert max(names.count(name) for name in names) == most
    # the first of what is left, every time
    free = listed([Listen("t001", 1.0, START)], WHOLE)
    taken: list[str] = []
    for name in ids_of(free):
        of = [facts[each] for each in taken]
        counts = [sum(x[i] == facts[name][i] for x in of) for i in range(3)]
        if counts[0] < 3 and counts[1] < 2 and counts[2] < 1:
            taken.append(name)
    assert ids_of(rows) == taken


def test_variety_is_maximal_marginal_relevance() -> None:
    settings = PLAIN.model_copy(update={"variety": 0.6})
    rows = listed([Listen("t001", 1.0, START)], settings)
    cosines = INDEX.vectors @ INDEX.vectors[1]
    left, taken = list(range(40)), list[int]()
    for row in rows:
        costs = {
            i: max([0.0, *(float(INDEX.vectors[i] @ INDEX.vectors[j]) for j in taken)])
            for i in left
        }
        best = max(left, key=lambda i: cosines[i] - 0.6 * costs[i])
        assert row.track_id == INDEX.track_ids[best]
        assert row.parts["variety"] == pytest.approx(-0.6 * costs[best], abs=1e-6)
        taken.append(best)
        left.remove(best)


def test_the_dial_prefers_what_was_heard_or_what_was_not() -> None:
    listens = [Listen("t001", 1.0, START), Listen("t002", 0.4, START)]
    heard = {"t001", "t002"}
    places = {}
    for dial in (-1.0, 0.0, 1.0):
        rows = listed(listens, WHOLE.model_copy(update={"familiar": dial}))
        places[dial] = sum(row.rank for row in rows if row.track_id in heard)
        parts = {row.track_id: row.parts["familiar"] for row in rows}
        assert parts["t001"] == pytest.approx(0.2 * dial)
        assert parts["t009"] == 0
    assert places[1.0] <= places[0.0] < places[-1.0]


def test_what_was_heard_long_ago_is_a_candidate_for_who_wants_it() -> None:
    vectors = np.random.default_rng(1).normal(size=(400, 8))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors[399] = -vectors[0]
    names = [f"t{n:03d}" for n in range(400)]
    index = create_track_index("v", names, vectors.astype(np.float32))
    listens = [Listen("t000", 1.0, START), Listen("t399", 0.01, START)]
    settings = WHOLE.model_copy(update={"familiar": 1.0, "n_recommendations": 400})
    rows = listed(listens, settings, index, create_groups(names, {}))
    assert "t399" in ids_of(rows)


def test_because_names_the_listens_that_spoke_for_a_track() -> None:
    listens = [Listen("t001", 1.0, START), Listen("t002", 1.0, START)]
    first = next(row for row in listed(listens, WHOLE) if row.track_id == "t001")
    assert first.because[0].track_id == "t001"
    assert sum(reason.share for reason in first.because) == pytest.approx(1.0)


def test_no_taste_gives_no_list() -> None:
    assert listed([]) == []
    asked = [request([]), request([Listen("t001", 1.0, START)])]
    both = rank(asked, INDEX, ALONE, PLAIN)
    assert [len(each.rows) for each in both] == [0, 10]


def test_equal_scores_stand_in_the_order_of_their_ids() -> None:
    vectors = np.full((30, 4), 0.5, dtype=np.float32)
    index = create_track_index("v", [f"t{i:03d}" for i in range(30)], vectors)
    groups = create_groups(index.track_ids, {})
    settings = PLAIN.model_copy(update={"n_recommendations": 5})
    rows = listed([Listen("t009", 1.0, START)], settings, index, groups)
    assert ids_of(rows) == ["t000", "t001", "t002", "t003", "t004"]


def test_the_direction_has_unit_length_and_points_away_from_skips() -> None:
    vectors = np.eye(3, dtype=np.float32)
    row_of = {"rock": 0, "jazz": 1, "folk": 2}
    listens = [Listen("rock", 1.0, START), Listen("folk", -1.0, START)]
    taste = taste_of(listens, row_of, vectors)
    parts = direction_of(dict.fromkeys(Horizon, taste), PLAIN)
    np.testing.assert_allclose(np.linalg.norm(parts.sum(axis=0)), 1.0)
    # both sides have the evidence 1 / (1 + 1); the skip pulls half as hard
    np.testing.assert_allclose(parts.sum(axis=0)[[0, 2]], np.array([2, -1]) / 5**0.5)
    np.testing.assert_allclose(parts[0], [2 / 5**0.5, 0, 0])
    nothing = dict.fromkeys(Horizon, taste_of([], row_of, vectors))
    assert not direction_of(nothing, PLAIN).any()


listens = st.lists(
    st.builds(
        Listen,
        track_id=st.sampled_from([*INDEX.track_ids, "unknown"]),
        weight=st.sampled_from([-2.0, -0.5, 0.25, 1.0, 2.0]),
        listened_at=st.just(START),
    ),
    max_size=8,
)
excluded = st.frozensets(st.sampled_from([*INDEX.track_ids, "unknown"]), max_size=40)
FACTS = {
    name: TrackFacts(f"a{row % 5}", f"b{row % 9}", f"r{row // 3}")
    for name, row in INDEX.row_of.items()
}
GROUPS = create_groups(INDEX.track_ids, FACTS)


@given(
    st.lists(st.tuples(listens, excluded), max_size=4),
    st.integers(1, 50),
    st.sampled_from([0.0, 0.3]),
    st.sampled_from([-1.0, 0.0, 0.5]),
    st.sampled_from([0.0, 0.3, 1.0]),
)
def test_laws_of_a_list(
    asked: list[tuple[list[Listen], frozenset[str]]],
    k: int,
    variety: float,
    familiar: float,
    explored: float,
) -> None:
    requests = [request(heard, out) for heard, out in asked]
    settings = TasteSettings(
        n_recommendations=k, variety=variety, familiar=familiar, explored_share=explored
    )
    lists = rank(requests, INDEX, GROUPS, settings)
    for (_, out), each, ranked in zip(asked, requests, lists, strict=True):
        ids = ids_of(ranked.rows)
        assert len(ids) == len(set(ids)) <= k
        assert not out.intersection(ids)
        assert [row.rank for row in ranked.rows] == list(range(1, len(ids) + 1))
        scores = [row.score for row in ranked.rows if not row.explored]
        assert all(b <= a + 1e-8 for a, b in itertools.pairwise(scores))
        for row in ranked.rows:
            assert sum(row.parts.values()) == pytest.approx(row.score, abs=1e-9)
            assert 0 < row.propensity <= 1
        recordings = [FACTS[name].recording_id for name in ids]
        assert len(recordings) == len(set(recordings))
        # who else is in the batch changes nothing
        assert rank([each], INDEX, GROUPS, settings) == [ranked]


def entry(
    action: Action, track_id: str, at_s: float, scope: str | None = None
) -> Entry:
    return Entry(
        f"{track_id}-{at_s}",
        action,
        track_id,
        f"p-{track_id}",
        0,
        60_000,
        START + timedelta(seconds=at_s),
        scope=scope,
    )


def out_of(entries: list[Entry], now_s: float, groups: TrackGroups = ALONE) -> set[str]:
    as_of = START + timedelta(seconds=now_s)
    settings = TasteSettings()
    horizons = merge_horizons(entries, no_past(8), as_of, settings, INDEX)
    rows = excluded_rows(entries, horizons, as_of, 1800, INDEX, groups)
    assert sorted(set(rows.tolist())) == rows.tolist()
    return {INDEX.track_ids[row] for row in rows}


def test_disliked_and_lately_heard_tracks_stay_out() -> None:
    entries = [
        entry(Action.COMPLETED, "t001", 0),
        entry(Action.DISLIKED, "t002", 1),
        entry(Action.SKIPPED, "t003", 3600),
        entry(Action.LIKED, "t004", 3601),
    ]
    assert out_of(entries, 3700) == {"t002", "t003"}


def test_the_last_reaction_counts() -> None:
    entries = [entry(Action.DISLIKED, "t001", 0), entry(Action.LIKED, "t001", 10)]
    assert out_of(entries, 6_000) == set()
    assert out_of([*entries, entry(Action.DISLIKED, "t001", 20)], 6_000) == {"t001"}


def test_of_a_small_catalogue_half_stays_in() -> None:
    entries = [entry(Action.COMPLETED, f"t{n:03d}", n) for n in range(40)]
    assert out_of(entries, 60) == {f"t{n:03d}" for n in range(20, 40)}


def test_all_copies_of_what_was_heard_stay_out() -> None:
    assert out_of([entry(Action.COMPLETED, "t004", 0)], 5, GROUPS) == {
        "t003",
        "t004",
        "t005",
    }


def test_blocked_tracks_artists_and_albums_stay_out_until_unblocked() -> None:
    whole = entry(Action.BLOCKED, "t000", 0, "artist")
    artist = {name for name, facts in FACTS.items() if facts.artist_id == "a0"}
    assert out_of([whole], 6_000, GROUPS) == artist
    # by another track of the artist
    again = entry(Action.UNBLOCKED, "t005", 10, "artist")
    assert out_of([whole, again], 6_000, GROUPS) == set()
    album = entry(Action.BLOCKED, "t009", 20, "album")
    assert out_of([whole, again, album], 6_000, GROUPS) == {
        name for name, facts in FACTS.items() if facts.album_id == "b0"
    }
    one = entry(Action.BLOCKED, "t010", 30)
    assert out_of([one], 6_000, GROUPS) == {"t009", "t010", "t011"}
    assert out_of([one, entry(Action.BLOCKED, "unknown", 31)], 6_000) == {"t010"}
