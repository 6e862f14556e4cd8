"""What became of lists that were shown: plays that began there, noted in `shown_lists`.

What a play says there is one of a set, so copies, late events and batches that run
again leave the same document; and what is forgotten goes out by its play, session,
track or time, as it does everywhere.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from pymongo import UpdateOne
from pymongo.database import Database

from models.forgetting import ForgetRule
from segue import store
from segue.activity import Level
from segue.clock import Clock, system_clock
from segue.events import Action
from segue.shown import (
    COUNTED,
    MOST_LIST_ID_CHARS,
    MOST_OUTCOMES,
    hours_of,
    shown_id,
)
from segue.store import Document
from streaming.activity_due import note_due
from streaming.cells import fields_in
from streaming.forget_rules import conditions_of

TOLD: Final = {
    Action.STARTED: "started",
    Action.COMPLETED: "completed",
    Action.SKIPPED: "skipped",
    # one that has an end
    Action.PROGRESSED: "left",
}
"""What an action says of a play."""
NAMES_A_LIST: Final = '"list_id":"'
"""In the `source` of each event that may come from a list."""


def write_outcomes(
    database: Database[Document],
    rows: Iterable[Mapping[str, Any]],
    wait_s: float,
    clock: Clock = system_clock,
) -> None:
    """Add what accepted events say to the lists that they come from.

    Parameters
    ----------
    rows : iterable of mapping
        With the fields of an entry, `user_id` and `source`; what comes from no list is
        passed over, and what comes from one that is not there is nowhere noted.
    """
    told: dict[tuple[str, str], list[Document]] = defaultdict(list)
    for row in rows:
        list_id = list_of(row)
        if list_id is not None:
            told[row["user_id"], list_id].append(_outcome(row))
    if not told:
        return
    # of older lists some of the same hour may be gone
    since = {"shown_at": {"$gte": clock() - COUNTED}}
    is_full = f"outcomes.{MOST_OUTCOMES - 1}"
    shown = database[store.SHOWN_LISTS]
    shown.bulk_write(
        [
            UpdateOne(
                {
                    "_id": shown_id(user_id, list_id),
                    "user_id": user_id,
                    is_full: {"$exists": False},
                    **since,
                },
                {"$addToSet": {"outcomes": {"$each": outcomes[:MOST_OUTCOMES]}}},
            )
            for (user_id, list_id), outcomes in told.items()
        ],
        ordered=False,
    )
    # whether something was new or not: a batch that runs again repairs
    named = {"_id": {"$in": [shown_id(*key) for key in told]}, **since}
    _note_hours(database, shown.find(named, {"shown_at": 1}), wait_s, clock)


def list_of(row: Mapping[str, Any]) -> str | None:
    """Return the list that a play comes from, where the event tells of a play in one.

    Examples
    --------
    >>> row = {"action": "started", "source": '{"list_id":"ada@1","rank":1}'}
    >>> list_of(row)
    'ada@1'
    >>> list_of({**row, "action": "progressed"}) is None  # it goes on
    True
    """
    source = row["source"]
    if row["action"] not in TOLD or source is None or NAMES_A_LIST not in source:
        return None
    told = fields_in(source)
    list_id, end = told.get("list_id"), told.get("end")
    if not isinstance(list_id, str) or not 0 < len(list_id) <= MOST_LIST_ID_CHARS:
        return None
    goes_on = row["action"] == Action.PROGRESSED and not (isinstance(end, str) and end)
    return None if goes_on else list_id


def forget_outcomes(
    database: Database[Document],
    user_id: str,
    rules: Iterable[ForgetRule],
    wait_s: float,
    clock: Clock,
) -> None:
    """Take what rules cover out of a listener's lists, and have their hours counted.

    Who wants everything forgotten has no lists left, whenever they were shown: a page
    that is open goes on for a moment.
    """
    shown = database[store.SHOWN_LISTS]
    for rule in rules:
        covered = conditions_of(rule, "at")
        wanted = {"user_id": user_id, "outcomes": {"$elemMatch": covered}}
        if is_everything(rule):
            wanted = {"user_id": user_id}
        # noted before they go, which alone tell the hours, and again when they are
        # gone: in between an hour may have been counted with them
        hours = _note_hours(
            database, shown.find(wanted, {"shown_at": 1}), wait_s, clock
        )
        if is_everything(rule):
            shown.delete_many(wanted)
            database[store.SHOWN_DAYS].delete_many(wanted)
        else:
            shown.update_many(wanted, {"$pull": {"outcomes": covered}})
        _note(database, hours, wait_s, clock)


def is_everything(rule: ForgetRule) -> bool:
    """Tell whether a rule is about all of its listener."""
    return rule.field is None and rule.since is None and Action.BLOCKED in rule.actions


def _outcome(row: Mapping[str, Any]) -> Document:
    return {
        "track_id": row["track_id"],
        "play_id": row["play_id"],
        "session_id": row["session_id"],
        "at": row["event_time"],
        "action": TOLD[Action(row["action"])],
    }


def _note_hours(
    database: Database[Document],
    lists: Iterable[Document],
    wait_s: float,
    clock: Clock,
) -> set[datetime]:
    hours = hours_of(lists)
    _note(database, hours, wait_s, clock)
    return hours


def _note(
    database: Database[Document], hours: set[datetime], wait_s: float, clock: Clock
) -> None:
    due_at = clock() + timedelta(seconds=wait_s)
    note_due(database, Level.HOUR, hours, due_at, store.SERVED_DUE)
