"""Simulated listeners do have the tastes that they were given."""

import itertools
from collections import Counter
from datetime import UTC, datetime

import numpy as np
import pytest

from segue.events import Action, PlaybackEvent, parse_event
from streaming.simulator.choosing import Catalogue, ListHead, ReadLists
from streaming.simulator.crowd import Crowd, create_crowd
from streaming.simulator.lists import no_lists
from streaming.simulator.rhythm import Lifelike, Rhythm, Steady
from streaming.simulator.turns import EVENTS_PER_PLAY, Play, Simulator, Turn
from tests.factories import START, create_index

INDEX = create_index(n_tracks=200, n_dims=8)
N_LISTENERS = 6
CATALOGUE = Catalogue(INDEX, np.full(200, 180_000), np.arange(200) // 10)


def crowd_of(seed: int, mean_change_s: float = np.inf) -> Crowd:
    rng = np.random.default_rng(seed)
    return create_crowd("listener", N_LISTENERS, 200, mean_change_s, rng)


def run(
    seed: int,
    n_turns: int = 3000,
    read_lists: ReadLists = no_lists,
    rhythm: Rhythm | None = None,
) -> list[Turn]:
    simulator = Simulator(
        crowd_of(seed),
        CATALOGUE,
        rhythm or Steady(N_LISTENERS, 1.0),
        read_lists,
        np.random.default_rng(seed),
        "run",
    )
    turns = itertools.chain.from_iterable(simulator.turns(START))
    return list(itertools.islice(turns, n_turns))


def events_of(turns: list[Turn]) -> list[PlaybackEvent]:
    return [event for turn in turns for event in turn.events]


def plays_of(turns: list[Turn]) -> list[Play]:
    return [turn.play for turn in turns if turn.play is not None]


def test_the_same_seed_gives_the_same_events() -> None:
    assert events_of(run(1, 50)) == events_of(run(1, 50))
    assert events_of(run(1, 50)) != events_of(run(2, 50))


def test_events_are_valid_ordered_in_time_and_their_ids_unique() -> None:
    events = events_of(run(1))
    assert all(parse_event(event.to_json()).user_id for event in events)
    times = [event.event_time for event in events]
    assert times == sorted(times)
    assert len({event.event_id for event in events}) == len(events)


def test_a_play_begins_and_ends_once_and_sessions_follow_each_other() -> None:
    by_play: dict[str, list[Action]] = {}
    sessions: dict[str, list[str]] = {}
    for event in events_of(run(1)):
        by_play.setdefault(event.play_id, []).append(event.action)
        heard = sessions.setdefault(event.user_id, [])
        if event.session_id not in heard[-1:]:
            heard.append(event.session_id)
    whole = [said for said in by_play.values() if len(said) > 1]
    assert len(whole) > len(by_play) - N_LISTENERS - 1
    assert all(said[0] is Action.STARTED for said in by_play.values())
    ends = {Action.COMPLETED, Action.SKIPPED}
    assert all(sum(action in ends for action in said) == 1 for said in whole)
    assert all(len(set(each)) == len(each) > 5 for each in sessions.values())


def test_what_is_heard_out_lies_nearer_to_the_taste_than_what_is_skipped() -> None:
    turns = run(1)
    closeness = {play.play_id: play.closeness for play in plays_of(turns)}

    def mean(action: Action) -> float:
        near = [closeness[e.play_id] for e in events_of(turns) if e.action is action]
        return float(np.mean(near))

    assert mean(Action.COMPLETED) > mean(Action.SKIPPED) + 0.3
    assert mean(Action.LIKED) > mean(Action.DISLIKED) + 0.3


def test_the_truth_of_a_play_is_its_cosine_with_the_nearest_region() -> None:
    crowd = crowd_of(1)
    for play in plays_of(run(1, 20)):
        number = crowd.user_ids.index(play.user_id)
        centres = INDEX.vectors[crowd.centres[number, 0]]
        nearest = (centres @ INDEX.vectors[INDEX.row_of[play.track_id]]).max()
        assert play.closeness == pytest.approx(float(nearest), abs=1e-5)


def test_plays_and_events_come_at_the_rate_that_was_asked_for() -> None:
    turns = run(1, 6000)
    span_s = turns[-1].at_s
    assert 0.9 < len(plays_of(turns)) / span_s < 1.1
    assert 0.9 < len(events_of(turns)) / (EVENTS_PER_PLAY * span_s) < 1.1


def test_who_has_a_list_mostly_chooses_from_its_head_and_says_so() -> None:
    heads = {"listener-01": ListHead("listener-01@then", [3, 4, 5])}

    def read_lists(user_ids: object) -> dict[str, ListHead]:
        return heads

    turns = run(1, 3000, read_lists)
    mine = {p.play_id: p for p in plays_of(turns) if p.user_id == "listener-01"}
    chosen = Counter(play.chosen for play in mine.values())
    assert chosen["list"] > 0.3 * chosen.total()
    assert set(chosen) == {"list", "new", "taste", "artist"}
    ranks: Counter[int] = Counter()
    for event in events_of(turns):
        assert event.source is not None
        if event.source["organic"]:
            assert event.play_id not in mine or mine[event.play_id].chosen != "list"
            continue
        rank = event.source["rank"]
        assert event.source["list_id"] == "listener-01@then"
        assert event.track_id == INDEX.track_ids[heads["listener-01"].rows[rank - 1]]
        ranks[rank] += 1
    assert ranks[1] > ranks[2] > 0


def test_people_listen_by_hour_and_weekday_and_as_long_as_a_track_is() -> None:
    monday = datetime(2026, 6, 1, tzinfo=UTC)
    rhythm = Lifelike(monday, np.zeros(N_LISTENERS))
    simulator = Simulator(
        crowd_of(1), CATALOGUE, rhythm, no_lists, np.random.default_rng(1), "run"
    )
    turns = itertools.chain.from_iterable(simulator.turns(monday))
    four_weeks = list(itertools.takewhile(lambda turn: turn.at_s < 28 * 86_400, turns))
    events = events_of(four_weeks)
    by_hour = Counter(event.event_time.hour for event in events)
    assert by_hour[18] + by_hour[19] > 3 * (by_hour[3] + by_hour[4])
    started = {e.play_id: e.event_time for e in events if e.action is Action.STARTED}
    for event in events:
        if event.action is Action.COMPLETED:
            heard_s = (event.event_time - started[event.play_id]).total_seconds()
            assert 180 <= heard_s < 240
