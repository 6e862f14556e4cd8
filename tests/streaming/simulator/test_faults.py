"""Copies, late, shuffled and broken messages: as many as asked for, and each noted."""

from collections import Counter
from contextlib import suppress
from datetime import timedelta

import numpy as np
import pytest

from segue.errors import InvalidEventError
from segue.events import PlaybackEvent, parse_event
from streaming.simulator.faults import (
    N_WAYS,
    Faults,
    FaultShares,
    Sent,
    broken_message,
)
from tests.factories import START, create_event, seconds

WATERMARK_S = 600.0
EVENTS = [create_event(event_id=f"x{n}", at=START + seconds(n)) for n in range(4000)]


def sent(shares: FaultShares, seed: int = 1) -> list[Sent]:
    faults = Faults(shares, WATERMARK_S, 60.0, np.random.default_rng(seed))
    messages = [
        message
        for number, event in enumerate(EVENTS)
        for message in faults.messages(float(number), [event])
    ]
    return messages + list(faults.rest())


def event_in(message: Sent) -> PlaybackEvent:
    return parse_event(message.value)


def test_without_faults_events_go_as_they_come() -> None:
    messages = sent(FaultShares())
    assert [event_in(m).event_id for m in messages] == [e.event_id for e in EVENTS]
    assert {message.fault for message in messages} == {None}


def test_each_fault_is_as_frequent_as_asked_for_and_noted() -> None:
    shares = FaultShares(duplicates=0.05, late=0.1, shuffled=0.2, broken=0.02)
    messages = sent(shares)
    faults = Counter(message.fault for message in messages)
    n = len(EVENTS)
    assert len(messages) == n + faults["duplicates"]
    assert faults["duplicates"] == pytest.approx(0.05 * n, rel=0.25)
    assert faults["late"] == pytest.approx(0.1 * n, rel=0.25)
    assert faults["broken"] == pytest.approx(0.02 * n, rel=0.5)
    assert {m.event_id for m in messages} == {e.event_id for e in EVENTS}
    assert sent(shares) == messages
    assert sent(shares, seed=2) != messages


def test_late_means_behind_the_watermark_and_shuffled_within_it() -> None:
    at = {event.event_id: event.event_time for event in EVENTS}
    for message in sent(FaultShares(late=0.3)):
        ago = at[message.event_id] - event_in(message).event_time
        is_late = ago > timedelta(seconds=WATERMARK_S)
        assert is_late == (message.fault == "late")
    places = [int(m.event_id[1:]) for m in sent(FaultShares(shuffled=0.3))]
    behind = np.maximum.accumulate(places) - places
    assert 0 < behind.max() <= 60


def test_a_copy_comes_after_its_event_and_is_the_same() -> None:
    first: dict[str, bytes] = {}
    for message in sent(FaultShares(duplicates=0.3)):
        if message.fault == "duplicates":
            assert first[message.event_id] == message.value
        first.setdefault(message.event_id, message.value)


@pytest.mark.parametrize("way", range(N_WAYS))
def test_a_broken_message_is_no_event_of_ours(way: int) -> None:
    broken = broken_message(EVENTS[0].to_json(), way)
    with suppress(InvalidEventError):
        # what lies in the future, the stream refuses
        assert parse_event(broken).event_time.year == 9999
