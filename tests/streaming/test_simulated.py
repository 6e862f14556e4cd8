"""Simulated listeners do have the tastes that they were given."""

import itertools

import numpy as np
from numpy.typing import NDArray

from segue.events import Action, PlaybackEvent, parse_event
from streaming.simulated import Simulator, create_listeners
from tests.factories import START, create_index

INDEX = create_index(n_tracks=200, n_dims=4)


def run(
    seed: int, n_turns: int = 3000
) -> tuple[list[PlaybackEvent], dict[str, NDArray[np.float32]]]:
    rng = np.random.default_rng(seed)
    listeners = create_listeners(3, INDEX, rng)
    simulator = Simulator(listeners, INDEX, {}, 60.0, lambda _: [], rng, "run")
    turns = itertools.islice(simulator.events(START), n_turns)
    events = [event for turn in turns for event in turn]
    return events, {listener.user_id: listener.taste for listener in listeners}


def test_the_same_seed_gives_the_same_events() -> None:
    assert run(1, 50)[0] == run(1, 50)[0]
    assert run(1, 50)[0] != run(2, 50)[0]


def test_events_are_valid_ordered_in_time_and_their_ids_unique() -> None:
    events, _ = run(1)
    assert all(parse_event(event.to_json()).user_id for event in events)
    times = [event.event_time for event in events]
    assert times == sorted(times)
    assert len({event.event_id for event in events}) == len(events)


def test_what_is_heard_out_lies_nearer_to_the_taste_than_what_is_skipped() -> None:
    events, tastes = run(1)

    def mean_cosine(action: Action) -> float:
        cosines = [
            INDEX.vectors[INDEX.row_of[event.track_id]] @ tastes[event.user_id]
            for event in events
            if event.action is action
        ]
        return float(np.mean(cosines))

    assert mean_cosine(Action.COMPLETED) > 0.5
    assert mean_cosine(Action.SKIPPED) < 0.1


def test_plays_come_at_the_rate_that_was_asked_for() -> None:
    events, _ = run(1)
    started = [event for event in events if event.action is Action.STARTED]
    minutes = (events[-1].event_time - START).total_seconds() / 60
    assert 55 < len(started) / minutes < 65
