"""What a listener wants forgotten: which of their events no longer count.

A `forgotten` event becomes a rule, and the rule covers events that are there and those
that are still to come: a play that was offline, a history that is imported again.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from models.listens import PLAY_ACTIONS, REACTIONS, Entry
from segue.events import Action, Scope

_FIELDS: Final[Mapping[Scope, str]] = {
    Scope.LISTEN: "play_id",
    Scope.SESSION: "session_id",
    Scope.TRACK: "track_id",
    Scope.ARTIST: "track_id",
    Scope.ALBUM: "track_id",
}
_LISTENING: Final = PLAY_ACTIONS | REACTIONS


@dataclass(frozen=True)
class ForgetRule:
    """Which of one listener's events are forgotten.

    Attributes
    ----------
    since, until : datetime or None
        Event times from and to which it holds, both included; None: for ever.
    field : str or None
        The field that has to have one of `values`; None: any event.
    actions : frozenset of str
        Actions that it covers.
    """

    since: datetime | None
    until: datetime | None
    field: str | None
    values: frozenset[str]
    actions: frozenset[str]

    def covers(self, entry: Entry) -> bool:
        """Tell whether an event is forgotten."""
        return (
            entry.action in self.actions
            and (self.field is None or getattr(entry, self.field) in self.values)
            and (self.since is None or self.since <= entry.event_time)
            and (self.until is None or entry.event_time <= self.until)
        )


def forget_rule(
    scope: Scope,
    said_at: datetime,
    until: datetime | None,
    play_id: str,
    session_id: str,
    track_ids: Sequence[str],
) -> ForgetRule:
    """Return the rule of one `forgotten` event.

    Parameters
    ----------
    said_at : datetime
        Event time of the event: what is heard afterwards counts again, but for the rest
        of a play that is forgotten.
    until : datetime or None
        The other end of a window, before or after `said_at`.
    track_ids : sequence of str
        All ids of the track, or of the artist's or the album's tracks.

    Examples
    --------
    >>> at = datetime(2026, 5, 3)
    >>> rule = forget_rule(Scope.TRACK, at, None, "p", "s", ["t1"])
    >>> rule.field, rule.values, rule.until == at
    ('track_id', frozenset({'t1'}), True)
    """
    since, end = None, said_at if scope is not Scope.LISTEN else None
    if scope is Scope.WINDOW and until is not None:
        since, end = sorted((said_at, until))
    field = _FIELDS.get(scope)
    values = {
        "play_id": [play_id],
        "session_id": [session_id],
        "track_id": track_ids,
        None: [],
    }[field]
    acts = set(Action) - {Action.FORGOTTEN}
    actions = acts if scope is Scope.EVERYTHING else _LISTENING
    return ForgetRule(
        since, end, field, frozenset(values), frozenset(map(str, actions))
    )


def together(rules: Iterable[ForgetRule]) -> tuple[ForgetRule, ...]:
    """Return as few rules that cover the same: one for all single listens."""
    values: dict[ForgetRule, set[str]] = defaultdict(set)
    for rule in rules:
        values[replace(rule, values=frozenset())] |= rule.values
    return tuple(
        replace(rule, values=frozenset(found)) for rule, found in values.items()
    )


def remembered(entries: Iterable[Entry], rules: Iterable[ForgetRule]) -> list[Entry]:
    """Return the entries that no rule covers."""
    held = list(rules)
    return [e for e in entries if not any(rule.covers(e) for rule in held)]
