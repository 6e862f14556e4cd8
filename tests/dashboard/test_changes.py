from datetime import UTC, datetime, timedelta

import pytest

from dashboard.changes import change_text, delay_text
from dashboard.records import ListChange, TrackCard
from segue.events import Action

AT = datetime(2026, 5, 3, 21, 40, tzinfo=UTC)
TIDE = TrackCard("t", "Tide", "Ina", "", "", None)


def _change(action: str = "skipped", n_left: int = 4, n_came: int = 3) -> ListChange:
    return ListChange(action, AT, TIDE, [], [], n_left, n_came)


def test_a_change_says_after_what_and_how_much() -> None:
    assert change_text(_change()) == "After you skipped Tide: 4 left, 3 came"
    assert change_text(_change("disliked", 1, 0)) == (
        "After you said Tide is not for you: 1 left, 0 came"
    )
    assert change_text(_change("liked", 0, 0)) == (
        "After you liked Tide: no track left or came"
    )


@pytest.mark.parametrize("action", [*Action, "hummed"])
def test_each_action_has_words(action: str) -> None:
    said = change_text(_change(action))
    assert said.startswith("After you")
    assert ("Tide" in said) == (action != Action.FORGOTTEN)
    (delay,) = delay_text(_change(action), AT + timedelta(seconds=0.84))
    assert str(delay).startswith("0.8 s after your ")


def test_without_a_list_before_there_is_nothing_to_say() -> None:
    assert change_text(None) == ""
    assert delay_text(None, AT) == ()
    assert delay_text(_change(), None) == ()


def test_clocks_that_disagree_say_nothing_false() -> None:
    assert delay_text(_change(), AT - timedelta(milliseconds=1)) == ()


def test_a_list_that_was_made_anew_later_claims_no_delay() -> None:
    said = delay_text(_change(), AT + timedelta(hours=2))
    assert said == ("after your skip at ", AT)
