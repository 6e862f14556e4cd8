"""How a list changed by the last event, and how soon: in plain words."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, NamedTuple

from dashboard.records import ListChange, Sentence
from segue.events import Action

_MOST_DELAY_S: Final = 60.0
"""A list that is younger by more was made anew for another reason than the event."""


class _Words(NamedTuple):
    """What a listener did, before the track's name and after it; and as a noun."""

    did: str
    so: str
    noun: str


_SAID: Final[Mapping[str, _Words]] = {
    Action.STARTED: _Words("you started", "", "play"),
    Action.PROGRESSED: _Words("you played on with", "", "play"),
    Action.COMPLETED: _Words("you played", "to its end", "play"),
    Action.SKIPPED: _Words("you skipped", "", "skip"),
    Action.LIKED: _Words("you liked", "", "like"),
    Action.UNLIKED: _Words("you took back your word on", "", "change of mind"),
    Action.DISLIKED: _Words("you said", "is not for you", "dislike"),
    Action.BLOCKED: _Words("you blocked", "", "block"),
    Action.UNBLOCKED: _Words("you let", "in again", "unblocking"),
}
_OTHERWISE: Final = _Words("your last word on", "", "last word")
_FORGOTTEN: Final = "you had something forgotten"


def change_text(change: ListChange | None) -> str:
    """Return what the list changed and after what; "" where there is nothing to say.

    Examples
    --------
    >>> from datetime import UTC
    >>> at = datetime(2026, 5, 3, tzinfo=UTC)
    >>> change_text(ListChange("skipped", at, None, [], [], 4, 3))
    'After you skipped a track: 4 left, 3 came'
    >>> change_text(ListChange("forgotten", at, None, [], [], 0, 0))
    'After you had something forgotten: no track left or came'
    """
    if change is None:
        return ""
    counts = f"{change.n_left} left, {change.n_came} came"
    if not (change.n_left or change.n_came):
        counts = "no track left or came"
    return f"After {_what(change)}: {counts}"


def delay_text(change: ListChange | None, changed_at: datetime | None) -> Sentence:
    """Return how soon a list followed; nothing where clocks or a new list mislead.

    Examples
    --------
    >>> from datetime import UTC, timedelta
    >>> at = datetime(2026, 5, 3, tzinfo=UTC)
    >>> skip = ListChange("skipped", at, None, [], [], 4, 3)
    >>> delay_text(skip, at + timedelta(seconds=0.8))
    ('0.8 s after your skip',)
    >>> delay_text(skip, at - timedelta(seconds=2))
    ()
    """
    if change is None or changed_at is None:
        return ()
    delay_s = (changed_at - change.event_time).total_seconds()
    if delay_s < 0:
        return ()
    if delay_s > _MOST_DELAY_S:
        return f"after your {_noun(change)} at ", change.event_time
    return (f"{delay_s:.1f} s after your {_noun(change)}",)


def _what(change: ListChange) -> str:
    if change.action == Action.FORGOTTEN:  # which need not be about a track
        return _FORGOTTEN
    words = _SAID.get(change.action, _OTHERWISE)
    title = "a track" if change.track is None else change.track.title
    return " ".join(filter(None, (words.did, title, words.so)))


def _noun(change: ListChange) -> str:
    if change.action == Action.FORGOTTEN:
        return "wish to forget"
    return _SAID.get(change.action, _OTHERWISE).noun
