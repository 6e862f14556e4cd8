"""Lists of recommendations that were shown to their listeners, as documents.

`shown_lists` has one of each list that was shown: its rows and, as `outcomes`, what the
stream saw of plays that came from there. `shown_days` has one of each listener and
date: which tracks were in a list then, so that a later list knows what is fresh.

Who shows a list writes it, in the order of `writes_of`, and then notes its hour; all of
it can be repeated.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final, NamedTuple

from pymongo import UpdateOne
from pymongo.asynchronous.database import AsyncDatabase

from segue import store
from segue.activity import Level
from segue.clock import Clock
from segue.due_spans import new_note, noting
from segue.store import Document

KEPT: Final = timedelta(days=35)
"""For how long after it was first shown a list is there."""
COUNTED: Final = timedelta(days=34)
"""Until when what becomes of it counts: as long as all lists of its hour are there."""
FRESH_DAYS: Final = 7
"""A row is fresh whose track was in no list of its listener on so many dates before."""
DAYS_KEPT: Final = timedelta(days=FRESH_DAYS + 1)
MOST_ROWS: Final = 200
MOST_OUTCOMES: Final = 500
MOST_TRACKS: Final = 5_000
"""Of a listener's date; what comes beyond is not remembered."""
MOST_LIST_ID_CHARS: Final = 400
NO_PART: Final = "none"
"""The part of a row that was not scored, or has no part above 0."""

FOR_YOU: Final = "player"
RADIO: Final = "radio"
"""Surfaces, as playback events name them."""
_MOST_PART_CHARS: Final = 32


class ShownRow(NamedTuple):
    """A row of a list that was shown.

    Attributes
    ----------
    rank : int
        Its place in the list or, of a radio, in the answer in which it came first, as
        playback events name it: what comes next there has rank 1 each time.
    part : str
        `part_of` its score.
    explored : bool
        Whether its place was given by lot.
    """

    track_id: str
    rank: int
    part: str
    explored: bool


class ShownList(NamedTuple):
    """A list that was shown.

    Attributes
    ----------
    list_id : str
        As playback events name it in `source`.
    model_version : str, optional
        None where no model had a part in it.
    """

    user_id: str
    list_id: str
    surface: str
    model_version: str | None
    rows: Sequence[ShownRow]
    shown_at: datetime


def shown_id(user_id: str, list_id: str) -> str:
    """Return the `_id` of a list that was shown."""
    return f"{user_id}|{list_id}"


def part_of(parts: Mapping[str, float]) -> str:
    """Return the part that speaks most for a row.

    Examples
    --------
    >>> part_of({"now": 0.4, "seeds": 0.5, "skips": -0.9}), part_of({"skips": -0.1})
    ('seeds', 'none')
    """
    named = {
        name: amount
        for name, amount in parts.items()
        if amount > 0 and name.isidentifier() and len(name) <= _MOST_PART_CHARS
    }
    # of equals always the same one
    return max(sorted(named), key=named.__getitem__, default=NO_PART)


def radio_list_id(kind: str, key: str, as_of: str) -> str:
    """Return how playback events name what a radio played as of some moment.

    Examples
    --------
    >>> radio_list_id("track", "t1", ""), radio_list_id("taste", "", "2026-05-03")
    ('radio:track:t1@start', 'radio:taste:@2026-05-03')
    """
    return f"radio:{kind}:{key}@{as_of or 'start'}"


def midnight(at: datetime) -> datetime:
    """Return the beginning of the date, in UTC, in which a time lies."""
    return datetime.combine(at.astimezone(UTC).date(), time(), UTC)


def seen_before(shown: Sequence[ShownList]) -> list[Mapping[str, Any]]:
    """Return the query, over `shown_days`, for what of some lists may not be fresh."""
    days = {(each.user_id, day) for each in shown for day in _days_before(each)}
    ids = sorted({row.track_id for each in shown for row in each.rows})
    seen = {"$setIntersection": ["$track_ids", {"$literal": ids}]}
    return [
        {"$match": {"_id": {"$in": [_day_id(*each) for each in sorted(days)]}}},
        {"$project": {"seen": seen}},
    ]


def writes_of(
    shown: Sequence[ShownList], found: Iterable[Document]
) -> Iterator[tuple[str, list[UpdateOne]]]:
    """Yield collection and writes, one after the other, of lists that were shown.

    When they are written, their hours are to be noted (`hours_of`, `notes_of`).

    Parameters
    ----------
    found : iterable of mapping
        What `seen_before` found.
    """
    seen = {each["_id"]: each["seen"] for each in found}
    yield store.SHOWN_LISTS, [_list_write(each, _seen_in(seen, each)) for each in shown]
    yield store.SHOWN_DAYS, [*map(_day_write, shown)]


def named(shown: Iterable[ShownList]) -> Document:
    """Return the filter, over `shown_lists`, for lists that are written."""
    ids = {shown_id(each.user_id, each.list_id) for each in shown}
    return {"_id": {"$in": sorted(ids)}}


def hours_of(written: Iterable[Document]) -> set[datetime]:
    """Return the hours in which lists count, from their `shown_at` as it is stored.

    A list that is there stays in the hour in which it was shown first.
    """
    return {Level.HOUR.start_of(each["shown_at"].astimezone(UTC)) for each in written}


def notes_of(hours: Iterable[datetime], due_at: datetime) -> list[UpdateOne]:
    """Return the writes, in `served_due`, by which hours are counted anew."""
    return [noting(Level.HOUR, hour, due_at, new_note()) for hour in sorted(hours)]


async def delete_lists(
    database: AsyncDatabase[Document], user_id: str, clock: Clock
) -> None:
    """Delete what was shown to a listener who goes, and have its hours counted."""
    lists, due = database[store.SHOWN_LISTS], database[store.SERVED_DUE]
    mine = {"user_id": user_id}
    hours = hours_of(await lists.find(mine, {"shown_at": 1}).to_list())
    # as the stream does it: before they go, which alone tell the hours, and after
    if hours:
        await due.bulk_write(notes_of(hours, clock()))
    for place in (store.SHOWN_LISTS, store.SHOWN_DAYS):
        await database[place].delete_many(mine)
    if hours:
        await due.bulk_write(notes_of(hours, clock()))


def _seen_in(seen: Mapping[str, Sequence[str]], shown: ShownList) -> set[str]:
    days = (_day_id(shown.user_id, day) for day in _days_before(shown))
    return {track_id for day in days for track_id in seen.get(day, ())}


def _days_before(shown: ShownList) -> list[datetime]:
    today = midnight(shown.shown_at)
    return [today - timedelta(days=n) for n in range(1, FRESH_DAYS + 1)]


def _list_write(shown: ShownList, seen: set[str]) -> UpdateOne:
    """Return the write of a list; one that is there gets the rows that it lacks.

    What a radio plays may change while its name stays, with its dials or what it is
    told was heard.
    """
    rows = [
        {**row._asdict(), "is_fresh": row.track_id not in seen}
        for row in shown.rows[:MOST_ROWS]
    ]
    first = {
        **{name: getattr(shown, name) for name in ("user_id", "list_id", "surface")},
        "model_version": shown.model_version,
        "shown_at": shown.shown_at,
        "outcomes": [],
    }
    is_new = {"$eq": [{"$type": "$shown_at"}, "missing"]}
    there = {"$ifNull": ["$rows", []]}
    lacking = {
        "$filter": {
            "input": {"$literal": rows},
            "cond": {
                "$not": {
                    "$in": ["$$this.track_id", {"$ifNull": ["$rows.track_id", []]}]
                }
            },
        }
    }
    together = {"$slice": [{"$concatArrays": [there, lacking]}, MOST_ROWS]}
    known = {
        name: {"$cond": [is_new, {"$literal": value}, f"${name}"]}
        for name, value in first.items()
    }
    return UpdateOne(
        {"_id": shown_id(shown.user_id, shown.list_id)},
        [{"$set": {**known, "rows": together}}],
        upsert=True,
    )


def _day_write(shown: ShownList) -> UpdateOne:
    day = midnight(shown.shown_at)
    ids = [row.track_id for row in shown.rows]
    known = {"$ifNull": ["$track_ids", []]}
    together = {"$setUnion": [known, {"$literal": ids}]}
    plain = {"user_id": {"$literal": shown.user_id}, "day": day}
    return UpdateOne(
        {"_id": _day_id(shown.user_id, day)},
        [{"$set": {**plain, "track_ids": {"$slice": [together, MOST_TRACKS]}}}],
        upsert=True,
    )


def _day_id(user_id: str, day: datetime) -> str:
    return f"{user_id}|{day.date().isoformat()}"
