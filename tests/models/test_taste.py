"""What plays and reactions say, and the vector that follows."""

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.evidence import evidence_of, faded_by_listens, weights_now_and_today
from models.listens import Entry, Listen, distinct_entries, listens_of
from models.taste import taste_of
from segue.events import Action
from segue.settings import TasteSettings
from segue.track_index import create_track_index
from tests.factories import START

VECTORS = np.eye(3, dtype=np.float32)
ROW_OF = {"rock": 0, "jazz": 1, "folk": 2}
INDEX = create_track_index("v", list(ROW_OF), VECTORS)


def entry(
    action: Action,
    track_id: str = "rock",
    play_id: str = "p1",
    played_ms: int | None = None,
    at_s: float = 0.0,
    event_id: str | None = None,
) -> Entry:
    return Entry(
        event_id or f"{play_id}-{action}-{at_s}",
        action,
        track_id,
        play_id,
        played_ms,
        60_000,
        START + timedelta(seconds=at_s),
    )


def test_a_play_speaks_once_with_its_end() -> None:
    play = [
        entry(Action.STARTED),
        entry(Action.PROGRESSED, played_ms=50_000, at_s=50),
        entry(Action.SKIPPED, played_ms=3_000, at_s=51),
    ]
    assert listens_of(play) == [Listen("rock", -0.9, play[-1].event_time)]


def test_progress_that_arrives_after_the_end_changes_nothing() -> None:
    end = entry(Action.COMPLETED, at_s=60)
    late = entry(Action.PROGRESSED, played_ms=10_000, at_s=61)
    assert listens_of([end, late]) == listens_of([end])


def test_a_play_without_an_end_speaks_with_its_latest_progress() -> None:
    play = [entry(Action.STARTED), entry(Action.PROGRESSED, played_ms=45_000, at_s=45)]
    assert [listen.weight for listen in listens_of(play)] == [0.5]


def test_unliking_takes_the_like_back_and_liking_again_restores_it() -> None:
    liked = entry(Action.LIKED)
    unliked = entry(Action.UNLIKED, at_s=1)
    again = entry(Action.LIKED, at_s=2)
    assert listens_of([liked, unliked]) == []
    assert [listen.weight for listen in listens_of([liked, unliked, again])] == [2.0]


def test_actions_without_a_say_leave_no_listen() -> None:
    silent = [Action.STARTED, Action.BLOCKED, Action.UNBLOCKED, Action.FORGOTTEN]
    assert listens_of(entry(action, play_id=action) for action in silent) == []


entries = st.builds(
    entry,
    action=st.sampled_from(Action),
    track_id=st.sampled_from(sorted(ROW_OF)),
    play_id=st.sampled_from(["p1", "p2", "p3"]),
    played_ms=st.none() | st.integers(0, 60_000),
    at_s=st.integers(0, 10),
    event_id=st.sampled_from(list("abcdefgh")),
)


@given(st.lists(entries, max_size=12), st.randoms())
def test_neither_order_nor_repetition_of_entries_matters(
    given_entries: list[Entry], random: object
) -> None:
    one_a_id = distinct_entries(given_entries)
    shuffled = [*one_a_id, *one_a_id]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert listens_of(shuffled) == listens_of(one_a_id)


def test_a_listen_counts_half_after_its_half_life_and_a_skip_fades_faster() -> None:
    listens = [Listen("jazz", -1.0, START), Listen("rock", 1.0, START)]
    settings = TasteSettings(half_life_s=1800, negative_half_life_s=600)
    later = START + timedelta(seconds=1800)
    evidence = evidence_of(listens, INDEX)
    now, _ = weights_now_and_today(evidence, later, settings)
    faded = faded_by_listens(evidence, settings.now_half_life_listens)
    assert now == pytest.approx([-0.125 * faded[0], 0.5])
    later = START + timedelta(seconds=settings.today_half_life_s)
    _, today = weights_now_and_today(evidence, later, settings)
    assert today == pytest.approx([-0.125, 0.5])


def test_a_listen_counts_half_after_so_many_plays_and_a_skip_is_none() -> None:
    said = [("rock", 1.0), ("jazz", -1.0), ("jazz", 0.5), ("folk", 1.0)]
    listens = [Listen(name, weight, START) for name, weight in said]
    kept = faded_by_listens(evidence_of(listens, INDEX), half_life=1.5)
    assert kept == pytest.approx([0.5, 0.5, 0.5 ** (1 / 1.5), 1.0])


def test_heard_and_skipped_are_kept_apart() -> None:
    listens = [
        Listen("rock", 1.0, START),
        Listen("jazz", 3.0, START),
        Listen("folk", -0.5, START),
        Listen("unknown", 2.0, START),
    ]
    taste = taste_of(listens, ROW_OF, VECTORS)
    np.testing.assert_allclose(taste.positive.mean, [0.25, 0.75, 0.0])
    np.testing.assert_allclose(taste.negative.mean, [0.0, 0.0, 1.0])
    assert (taste.positive.weight, taste.negative.weight) == (4.0, 0.5)
