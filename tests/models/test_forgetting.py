"""What a `forgotten` event covers, and what it leaves."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.forgetting import ForgetRule, forget_rule, remembered, together
from models.listens import Entry
from segue.events import Action, Scope
from tests.factories import START, seconds


def entry(
    at_s: float = 0,
    *,
    action: Action = Action.COMPLETED,
    track: str = "t1",
    play: str = "p1",
    session: str = "s1",
) -> Entry:
    at = START + seconds(at_s)
    return Entry("e", action.value, track, play, None, None, at, session)


def rule_of(scope: Scope, until: datetime | None = None) -> ForgetRule:
    """Return the rule of an event ten seconds after the start."""
    return forget_rule(scope, START + seconds(10), until, "p1", "s1", ["t1", "t1b"])


@pytest.mark.parametrize(
    ("scope", "covered", "left"),
    [
        (Scope.LISTEN, entry(20, track="t2", session="s2"), entry(play="p2")),
        (Scope.SESSION, entry(play="p2", track="t2"), entry(session="s2")),
        (Scope.SESSION, entry(10), entry(11)),
        (Scope.TRACK, entry(track="t1b", session="s2"), entry(track="t2")),
        (Scope.ARTIST, entry(10, play="p2"), entry(11)),
        (Scope.ALBUM, entry(9), entry(11)),
        (Scope.EVERYTHING, entry(track="x", play="x", session="x"), entry(11)),
        (Scope.EVERYTHING, entry(action=Action.BLOCKED), entry(11)),
        (Scope.TRACK, entry(action=Action.LIKED), entry(action=Action.BLOCKED)),
        (Scope.EVERYTHING, entry(), entry(action=Action.FORGOTTEN)),
    ],
)
def test_a_rule_covers_what_its_scope_names(
    scope: Scope, covered: Entry, left: Entry
) -> None:
    assert remembered([covered, left], [rule_of(scope)]) == [left]


@given(st.integers(-100, 100), st.integers(-100, 100))
def test_a_window_reaches_from_the_event_to_its_other_end(end: int, at: int) -> None:
    rule = rule_of(Scope.WINDOW, START + seconds(end))
    assert rule.covers(entry(at)) == (min(10, end) <= at <= max(10, end))


def test_many_forgotten_listens_are_one_rule() -> None:
    def of_play(play: str) -> ForgetRule:
        return forget_rule(Scope.LISTEN, START, None, play, "s1", ["t1"])

    many = [of_play(f"p{n}") for n in range(10_000)] + [rule_of(Scope.SESSION)]
    listens, session = together(many)
    assert len(listens.values) == 10_000
    assert session == rule_of(Scope.SESSION)
