"""A list that is due follows, whoever comes between."""

from datetime import timedelta

import numpy as np
import pytest
from pymongo.database import Database

from segue import store
from segue.events import Action
from streaming.due import note_due, read_due, settle_due
from streaming.forget_rules import write_rules
from tests.factories import START, create_event, seconds
from tests.streaming.test_updating import arrive, assert_same, catch_up, some_events

pytestmark = pytest.mark.mongo
DAY = timedelta(days=1)


def test_what_is_noted_while_a_list_is_made_stays_due(
    database: Database[store.Document],
) -> None:
    today = frozenset({START.date()})
    note_due(
        database, {"ada": START, "bob": START}, {"ada": today, "bob": today}, START
    )
    seen = read_due(database, ["ada", "bob", "cyd"])
    assert seen.keys() == {"ada", "bob"}
    before = frozenset({(START - DAY).date()})
    note_due(database, {"ada": START - seconds(5)}, {"ada": before}, START + DAY)
    assert not settle_due(database, seen)
    (left,) = database[store.LISTS_DUE].find()
    assert (left["_id"], left["since"]) == ("ada", START)
    due = read_due(database, ["ada"])["ada"]
    assert (due.newest_event_at, due.dates) == (START, today | before)


def test_panes_alone_make_no_list_and_say_that_it_is_due(
    database: Database[store.Document],
) -> None:
    play = create_event()
    arrive(database, [play], [play], with_list=False)
    assert database[store.TASTE_WINDOWS].count_documents({}) == 1
    assert database[store.RECOMMENDATIONS].count_documents({}) == 0
    assert list(read_due(database, ["ada"])) == ["ada"]
    catch_up(database)
    assert_same(database, [play])
    assert read_due(database, ["ada"]) == {}


def test_a_note_that_nobody_has_seen_outlives_the_one_before_it(
    database: Database[store.Document],
) -> None:
    today = {"ada": frozenset({START.date()})}
    note_due(database, {"ada": START}, today, START)
    slow = read_due(database, ["ada"])
    assert settle_due(database, read_due(database, ["ada"]))
    note_due(database, {"ada": START}, today, START)
    assert not settle_due(database, slow)
    assert list(read_due(database, ["ada"])) == ["ada"]


def test_who_is_due_no_more_is_left_alone(database: Database[store.Document]) -> None:
    play = create_event()
    arrive(database, [play], [play])
    (before,) = database[store.RECOMMENDATIONS].find()
    catch_up(database)
    assert list(database[store.RECOMMENDATIONS].find()) == [before]


def test_an_event_in_between_counts_the_days_that_wait(
    database: Database[store.Document], rng: np.random.Generator
) -> None:
    events = some_events(40, rng, DAY * 4)
    arrive(database, events[:20], events[:20])
    arrive(database, events, events[20:], with_list=False)
    newest = create_event(at=START + 4 * DAY)
    arrive(database, [*events, newest], [newest])
    assert_same(database, [*events, newest])
    assert read_due(database, ["ada"]) == {}


def test_what_is_forgotten_while_a_list_is_due_is_not_in_it(
    database: Database[store.Document],
) -> None:
    plays = [
        create_event(Action.COMPLETED, f"t00{n}", at=START + seconds(60 * n))
        for n in range(3)
    ]
    arrive(database, plays, plays, with_list=False)
    unsaid = create_event(Action.FORGOTTEN, play_id=plays[1].play_id, at=START + DAY)
    assert write_rules(database, [unsaid._asdict()]) == 1
    catch_up(database)
    assert_same(database, [plays[0], plays[2]])
