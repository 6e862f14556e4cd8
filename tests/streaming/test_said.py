"""Reactions and blocks: the same documents from the same events, however they come."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymongo.database import Database

from models.forgetting import ForgetRule, forget_rule, remembered
from models.listens import BLOCKS, REACTIONS, last_words
from segue import store
from segue.events import Action, PlaybackEvent, Scope, listen_weight
from segue.track_names import name_id_of
from streaming.panes import entry_of
from streaming.said import MOST_WORDS, SAID, forget_said, write_said
from tests.factories import START, create_event, seconds

pytestmark = pytest.mark.mongo

# each example empties the database first
FEW = settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
PLACES = (store.REACTIONS, store.BLOCKS)


def row_of(event: PlaybackEvent) -> dict[str, Any]:
    return event._asdict()


def said(
    action: Action,
    at_s: float = 0,
    track_id: str = "t1",
    scope: str | None = None,
    play_id: str = "p",
    user_id: str = "ada",
) -> PlaybackEvent:
    event = create_event(action, track_id, user_id, START + seconds(at_s))
    return event._replace(scope=scope, play_id=play_id)


def write(database: Database[store.Document], *events: PlaybackEvent) -> None:
    write_said(database, map(row_of, events))


def stored(database: Database[store.Document]) -> list[store.Document]:
    return [each for place in PLACES for each in database[place].find().sort("_id")]


def empty(database: Database[store.Document]) -> None:
    for place in PLACES:
        database[place].delete_many({})


some_events = st.lists(
    st.builds(
        said,
        st.sampled_from([*map(Action, SAID), Action.STARTED]),
        st.integers(0, 3),
        st.sampled_from(["t1", "t2"]),
        st.sampled_from([None, "track", "artist", "album", "session", "$x"]),
        st.sampled_from(["p", "q"]),
        st.sampled_from(["ada", "bob"]),
    ),
    max_size=12,
)


@given(some_events, st.data())
@FEW
def test_order_copies_and_batches_change_nothing(
    database: Database[store.Document], events: list[PlaybackEvent], data: Any
) -> None:
    empty(database)
    write(database, *events)
    expected = stored(database)
    assert expected == sorted_by_hand(events)
    empty(database)
    again = data.draw(st.permutations(events + events[: len(events) // 2]))
    while again:
        n = data.draw(st.integers(1, len(again)))
        write(database, *again[:n])
        again = again[n:]
    assert stored(database) == expected


@given(some_events, st.data())
@FEW
def test_what_is_forgotten_is_as_if_it_had_not_been_said(
    database: Database[store.Document], events: list[PlaybackEvent], data: Any
) -> None:
    rule = data.draw(
        st.sampled_from(
            [
                rule_of(Scope.LISTEN),
                rule_of(Scope.SESSION, 1),
                rule_of(Scope.TRACK, 2),
                rule_of(Scope.WINDOW, 1, START + seconds(2)),
                rule_of(Scope.EVERYTHING, 1),
                rule_of(Scope.EVERYTHING, 9),
            ]
        )
    )
    empty(database)
    write(database, *events)
    forget_said(database, "ada", [rule])
    left = [
        event
        for event in events
        if event.user_id != "ada" or remembered([entry_of(row_of(event))], [rule])
    ]
    assert stored(database) == sorted_by_hand(left)


def rule_of(scope: Scope, at_s: float = 0, until: datetime | None = None) -> ForgetRule:
    return forget_rule(scope, START + seconds(at_s), until, "p", "s", ["t1"])


def sorted_by_hand(events: Iterable[PlaybackEvent]) -> list[store.Document]:
    """Return the documents of events in the plainest way there is."""
    words: dict[tuple[int, str], list[PlaybackEvent]] = {}
    for event in events:
        is_wider = event.scope in ("artist", "album")
        scope = event.scope if is_wider else "track"
        if event.action in REACTIONS:
            key = 0, f"{event.user_id}|{event.track_id}"
        elif event.action in BLOCKS:
            key = 1, f"{event.user_id}|{scope}|{event.track_id}"
        else:
            continue
        words.setdefault(key, []).append(event)
    made = []
    for key, found in sorted(words.items()):
        found.sort(key=lambda each: (each.event_time, each.event_id), reverse=True)
        last = found[0]
        names = ("event_time", "event_id", "action", "play_id", "session_id")
        document = {
            "_id": key[1],
            **{name: getattr(last, name) for name in ("user_id", "track_id", "action")},
            "at": last.event_time,
            "words": [{name: getattr(each, name) for name in names} for each in found],
        }
        made.append(document | ({"scope": key[1].split("|")[1]} if key[0] else {}))
    return made


@given(some_events)
@FEW
def test_the_documents_say_what_the_taste_knows(
    database: Database[store.Document], events: list[PlaybackEvent]
) -> None:
    empty(database)
    write(database, *events)
    words = last_words(entry_of(row_of(e)) for e in events if e.user_id == "ada")
    mine = {"user_id": "ada"}
    weights = {
        each["track_id"]: listen_weight(each["action"], None, None)
        for each in database[store.REACTIONS].find(mine)
    }
    assert weights == {each.track_id: each.weight for each in words.reactions}
    blocks = {
        (each["scope"], each["track_id"], each["action"] == Action.BLOCKED)
        for each in database[store.BLOCKS].find(mine)
    }
    assert blocks == set(words.blocks)


def test_what_a_listener_wrote_is_never_a_command(
    database: Database[store.Document],
) -> None:
    for n in range(2):
        event = said(Action.LIKED, n, "$words", user_id="$x")
        event = event._replace(event_id="$$ROOT", play_id="$at", session_id="$$NOW")
        write(database, event, said(Action.BLOCKED, n, "$words", "$scope", "$at", "$x"))
    liked, blocked = stored(database)
    assert (liked["_id"], liked["track_id"]) == ("$x|$words", "$words")
    assert liked["words"][0]["session_id"] == "$$NOW"
    assert (blocked["_id"], blocked["scope"]) == ("$x|track|$words", "track")
    forget_said(database, "$x", [rule_of(Scope.EVERYTHING, 9)])
    assert stored(database) == []


def test_only_the_latest_words_are_kept(database: Database[store.Document]) -> None:
    acts = (Action.LIKED, Action.UNLIKED)
    events = [said(acts[n % 2], n) for n in range(3 * MOST_WORDS)]
    for share in (events[::2], events[1::2], events):
        write(database, *share)
    (document,) = stored(database)
    times = [word["event_time"] for word in document["words"]]
    assert times == [event.event_time for event in reversed(events)][:MOST_WORDS]
    assert document["action"] == "unliked"


def test_what_is_known_by_name_alone_is_no_track(
    database: Database[store.Document],
) -> None:
    write(database, said(Action.LIKED, 0, name_id_of("Ada", "Low")))
    assert stored(database) == []


def test_writers_side_by_side_leave_the_last_word(
    database: Database[store.Document],
) -> None:
    acts = (Action.LIKED, Action.DISLIKED, Action.BLOCKED)
    events = [said(acts[n % 3], n, f"t{n % 7}") for n in range(140)]
    shares = [events[start::8] for start in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda share: write(database, *share), shares * 2))
    assert stored(database) == sorted_by_hand(events)
