"""Stored panes, when what they hold is forgotten: counts go on adding up."""

import pytest
from pymongo.database import Database

from models.forgetting import ForgetRule, forget_rule
from segue import store
from segue.clock import fixed_clock
from segue.events import PlaybackEvent, Scope
from streaming.forgetting import forget_panes
from streaming.panes import COUNTS, DAY_S, pane_of
from streaming.schemas import ENTRY_FIELDS
from streaming.tastes import window_document
from tests.factories import START, create_event, create_index, seconds

pytestmark = pytest.mark.mongo
INDEX = create_index()
DAY = START.replace(hour=0, minute=0)


def stored(
    database: Database[store.Document],
    length_s: int,
    *events: tuple[PlaybackEvent, bool],
) -> None:
    """Store a pane of events, each of them late or not."""
    rows = [
        {name: getattr(event, name) for name in ENTRY_FIELDS}
        | {"partition": 0, "offset": offset, "is_late": is_late}
        for offset, (event, is_late) in enumerate(events)
    ]
    pane = pane_of(DAY if length_s == DAY_S else START, length_s, rows)
    document = window_document("ada", pane, INDEX, {}, START)
    database[store.TASTE_WINDOWS].insert_one(document)


def forget(database: Database[store.Document], *rules: ForgetRule) -> store.Document:
    forget_panes(database, "ada", rules, INDEX, fixed_clock(START + seconds(1)))
    (pane,) = database[store.TASTE_WINDOWS].find()
    return pane


def counts_of(pane: store.Document) -> list[int]:
    return [pane[name] for name in COUNTS]


TRACK = forget_rule(Scope.TRACK, START + seconds(99), None, "p", "s", ["t000"])
MINE, OTHER = create_event(), create_event(track_id="t001", at=START + seconds(2))
NAMED = create_event(track_id="name:ff", at=START + seconds(3))


@pytest.mark.parametrize("length_s", [300, DAY_S])
def test_what_is_forgotten_moves_from_one_count_to_another(
    database: Database[store.Document], length_s: int
) -> None:
    heard = [(event, False) for event in (MINE, MINE, OTHER, NAMED)]
    stored(database, length_s, *heard)
    pane = forget(database, TRACK)
    assert counts_of(pane) == [1, 1, 1, 1, 0]
    assert [entry["track_id"] for entry in pane["entries"]] == ["t001", "name:ff"]
    assert pane["n_listens"] == 1
    assert pane["updated_at"] == START + seconds(1)
    assert forget(database, TRACK) == pane
    session = forget_rule(Scope.SESSION, START + seconds(99), None, "p", "s", [])
    assert counts_of(forget(database, session)) == [0, 0, 3, 1, 0]


def test_late_events_are_counted_elsewhere(database: Database[store.Document]) -> None:
    stored(database, DAY_S, (MINE, True), (OTHER, True))
    assert counts_of(forget(database, TRACK)) == [0, 0, 0, 0, 0]


def test_a_pane_without_it_is_not_written(database: Database[store.Document]) -> None:
    stored(database, 300, (OTHER, False))
    assert forget(database, TRACK)["updated_at"] == START
