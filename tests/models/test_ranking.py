"""Lists against a ranking by hand, and the laws every list obeys."""

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.ranking import Request, exclusions, rank
from models.taste import Entry, Listen, taste_of
from segue.events import Action
from segue.track_index import TrackIndex, create_track_index
from tests.factories import START, create_index

INDEX = create_index()


def request(
    listens: list[Listen],
    excluded: frozenset[str] = frozenset(),
    index: TrackIndex = INDEX,
) -> Request:
    return Request(taste_of(listens, index.row_of, index.vectors), listens, excluded)


def test_a_list_is_ordered_by_the_cosine_that_numpy_gives() -> None:
    listens = [Listen("t001", 1.0, START), Listen("t002", 0.5, START)]
    (rows,) = rank([request(listens)], INDEX, 0.5, k=10)
    vector = INDEX.vectors[1] * 1.0 + INDEX.vectors[2] * 0.5
    cosines = INDEX.vectors @ vector / np.linalg.norm(vector)
    expected = np.argsort(-cosines)[:10]
    assert [row.track_id for row in rows] == [INDEX.track_ids[i] for i in expected]
    np.testing.assert_allclose([r.score for r in rows], cosines[expected], atol=1e-6)


def test_a_hub_is_ranked_by_how_near_it_is_for_a_track_of_its_kind() -> None:
    rng = np.random.default_rng(5)
    scales = rng.uniform(0.3, 3, len(INDEX.track_ids)).astype(np.float32)
    index = create_track_index("v", INDEX.track_ids, INDEX.vectors, scales)
    listens = [Listen("t001", 1.0, START), Listen("t002", -0.5, START)]
    (rows,) = rank([request(listens, index=index)], index, 0.5, k=10)
    (plain,) = rank([request(listens)], INDEX, 0.5, k=40)
    cosines = np.array([row.score for row in sorted(plain, key=lambda r: r.track_id)])
    expected = 1 - (1 - cosines) / scales
    best = np.argsort(-expected)[:10]
    assert [row.track_id for row in rows] == [INDEX.track_ids[i] for i in best]
    np.testing.assert_allclose([r.score for r in rows], expected[best], atol=1e-6)
    for row in rows:
        scale = scales[index.row_of[row.track_id]]
        assert row.parts["hub"] == pytest.approx(1 - 1 / scale)
        assert sum(row.parts.values()) == pytest.approx(row.score, abs=1e-9)


def test_a_skip_moves_the_list_away_and_the_part_says_so() -> None:
    liked = [Listen("t001", 1.0, START)]
    both = [*liked, Listen("t005", -1.0, START)]
    before, after = rank([request(liked), request(both)], INDEX, 0.5, k=40)
    place = {row.track_id: row.rank for row in before}
    skipped = next(row for row in after if row.track_id == "t005")
    assert skipped.rank > place["t005"]
    assert skipped.parts["skips"] < 0


def test_because_names_the_listens_that_spoke_for_a_track() -> None:
    listens = [Listen("t001", 1.0, START), Listen("t002", 1.0, START)]
    (rows,) = rank([request(listens, frozenset({"t002"}))], INDEX, 0.5, k=40)
    first = next(row for row in rows if row.track_id == "t001")
    assert first.because[0].track_id == "t001"
    assert sum(reason.share for reason in first.because) == pytest.approx(1.0)


def test_no_taste_gives_no_list() -> None:
    assert rank([request([])], INDEX, 0.5, k=5) == [[]]


def test_equal_scores_stand_in_the_order_of_their_ids() -> None:
    vectors = np.full((30, 4), 0.5, dtype=np.float32)
    index = create_track_index("v", [f"t{i:03d}" for i in range(30)], vectors)
    (rows,) = rank(
        [request([Listen("t009", 1.0, START)], index=index)], index, 0.5, k=5
    )
    assert [row.track_id for row in rows] == ["t000", "t001", "t002", "t003", "t004"]


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


@given(st.lists(st.tuples(listens, excluded), max_size=4), st.integers(1, 50))
def test_laws_of_a_list(
    asked: list[tuple[list[Listen], frozenset[str]]], k: int
) -> None:
    requests = [request(heard, out) for heard, out in asked]
    lists = rank(requests, INDEX, 0.5, k)
    for each, rows in zip(requests, lists, strict=True):
        ids = [row.track_id for row in rows]
        assert len(ids) == len(set(ids)) <= k
        assert not each.excluded.intersection(ids)
        assert [row.rank for row in rows] == list(range(1, len(rows) + 1))
        scores = [row.score for row in rows]
        assert scores == sorted(scores, reverse=True)
        for row in rows:
            assert sum(row.parts.values()) == pytest.approx(row.score, abs=1e-9)
        # who else is in the batch changes nothing
        assert rank([each], INDEX, 0.5, k) == [rows]


def entry(action: Action, track_id: str, at_s: float) -> Entry:
    return Entry(
        f"{track_id}-{at_s}",
        action,
        track_id,
        f"p-{track_id}",
        0,
        60_000,
        START + timedelta(seconds=at_s),
    )


def test_disliked_and_lately_heard_tracks_stay_out() -> None:
    entries = [
        entry(Action.COMPLETED, "old", 0),
        entry(Action.DISLIKED, "disliked", 1),
        entry(Action.SKIPPED, "new", 3600),
        entry(Action.LIKED, "liked unheard", 3600),
    ]
    as_of = START + timedelta(seconds=3600)
    assert exclusions(entries, as_of, 1800, 100) == {"disliked", "new"}


def test_a_dislike_taken_back_no_longer_excludes() -> None:
    entries = [entry(Action.DISLIKED, "t", 0), entry(Action.UNLIKED, "t", 1)]
    assert exclusions(entries, START + timedelta(hours=2), 1800, 100) == frozenset()


def test_a_small_catalogue_never_runs_dry() -> None:
    entries = [entry(Action.COMPLETED, f"t{i}", i) for i in range(4)]
    as_of = START + timedelta(seconds=5)
    assert exclusions(entries, as_of, 1800, n_tracks=4) == {"t2", "t3"}
