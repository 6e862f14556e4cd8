"""What a listener has heard, by day and session, and what forgetting did."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Any, Final

from pymongo import DESCENDING
from pymongo.asynchronous.database import AsyncDatabase

from dashboard.said import KnownTrack, read_known
from segue import store
from segue.events import Scope
from segue.store import Document

_TOLD_FOR: Final = timedelta(minutes=10)
_NAMED: Final = 5


@dataclass(frozen=True, slots=True)
class Heard:
    """One listen.

    Attributes
    ----------
    at : datetime
        In the listener's time zone.
    action : str
        The last word of the play.
    surface : str
        Where it came from; "" where nobody told.
    """

    track: KnownTrack
    play_id: str
    session_id: str | None
    at: datetime
    played_ms: int | None
    duration_ms: int | None
    action: str
    surface: str


@dataclass(frozen=True, slots=True)
class Session:
    """Listens of one session on one day, the newest first."""

    session_id: str | None
    listens: Sequence[Heard]


@dataclass(frozen=True, slots=True)
class Day:
    """The sessions of one day, the newest first."""

    day: date
    sessions: Sequence[Session]


@dataclass(frozen=True, slots=True)
class Change:
    """What left a list, and what came, by `track_id`."""

    left: tuple[str, ...] = ()
    came: tuple[str, ...] = ()

    def then(self, later: "Change") -> "Change":
        """Return both one after the other as one.

        Examples
        --------
        >>> Change(("a",), ("b",)).then(Change(("b",), ("c",)))
        Change(left=('a',), came=('c',))
        """
        left = [x for x in self.left if x not in later.came]
        came = [x for x in self.came if x not in later.left]
        return Change(
            (*left, *(x for x in later.left if x not in self.came)),
            (*came, *(x for x in later.came if x not in self.left)),
        )


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What a listener has had forgotten just now.

    Attributes
    ----------
    rule_id : str
        The `_id` of its rule, which no other listener has.
    is_done : bool
        All that was stored is out, and the list is made anew.
    n_listens : int
        Listens that were stored, and go.
    has_list : bool
        A list is left.
    change : Change, optional
        Of the list; None where it has not come, or a later one has.
    """

    rule_id: str
    is_done: bool
    n_listens: int
    has_list: bool
    change: Change | None


async def read_heard(
    database: AsyncDatabase[Document], listener: str, limit: int, zone: tzinfo
) -> list[Heard]:
    """Read the latest listens, the newest first."""
    found = database[store.LISTENS].find({"user_id": listener})
    rows = await found.sort("listened_at", DESCENDING).limit(limit).to_list()
    known = await read_known(database, {row["track_id"] for row in rows})
    return [_heard(row, known[row["track_id"]], zone) for row in rows]


def by_day(listens: Iterable[Heard]) -> list[Day]:
    """Return listens by day and session, in the order in which they come."""
    days: dict[date, dict[str | None, list[Heard]]] = {}
    for heard in listens:
        sessions = days.setdefault(heard.at.date(), {})
        sessions.setdefault(heard.session_id, []).append(heard)
    return [
        Day(day, [Session(name, each) for name, each in sessions.items()])
        for day, sessions in days.items()
    ]


async def read_forgotten(
    database: AsyncDatabase[Document], listener: str, now: datetime
) -> Forgotten | None:
    """Read what was forgotten last, if that was just now."""
    is_new = [{"done_at": None}, {"done_at": {"$gte": now - _TOLD_FOR}}]
    rules = database[store.FORGETS].find({"user_id": listener, "$or": is_new})
    found = await rules.sort("said_at", DESCENDING).limit(1).to_list()
    if not found or found[0]["scope"] == Scope.EVERYTHING:
        return None
    rule = found[0]
    made = await database[store.RECOMMENDATIONS].find_one(listener, ("diff",))
    event_id = rule["_id"].removeprefix(f"{listener}|")
    return Forgotten(
        rule["_id"],
        rule["done_at"] is not None,
        rule.get("n_listens", 0),
        made is not None,
        _change_by(event_id, made),
    )


async def read_titles(
    database: AsyncDatabase[Document], track_ids: Sequence[str]
) -> list[str]:
    """Read the titles of the first few tracks."""
    first = track_ids[:_NAMED]
    known = await read_known(database, first)
    return [known[track_id].card.title for track_id in first]


def _change_by(event_id: str, made: Mapping[str, Any] | None) -> Change | None:
    diff = (made or {}).get("diff") or {}
    if diff.get("event", {}).get("event_id") != event_id:
        return None
    return Change(tuple(diff["left"]), tuple(diff["came"]))


def _heard(row: Document, track: KnownTrack, zone: tzinfo) -> Heard:
    source = row.get("source") or {}
    return Heard(
        _named(track, source),
        row["play_id"],
        row.get("session_id"),
        row["listened_at"].astimezone(zone),
        row.get("played_ms"),
        row.get("duration_ms"),
        row["action"],
        str(source.get("surface") or ""),
    )


def _named(track: KnownTrack, source: Mapping[str, Any]) -> KnownTrack:
    """Return a track by the names that were told, where the library has none."""
    if track.is_there or not source.get("title"):
        return track
    card = track.card
    names = {name: str(source.get(name) or "") for name in ("title", "artist", "album")}
    told = type(card)(card.track_id, **names, genre="", duration_ms=None)
    return KnownTrack(told, is_there=False)
