"""Keep listening: tracks left in the middle, and what was heard in part, lately."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal, NamedTuple

from pymongo import DESCENDING
from pymongo.asynchronous.database import AsyncDatabase

from dashboard.queries import read_cards
from dashboard.records import Card, NotedTrack, TrackCard
from dashboard.rows import clock_text
from segue import store
from segue.clock import Clock
from segue.events import Action
from segue.store import Document

MOST_LISTENS: Final = 300
_LATELY: Final = timedelta(days=30)
_LEFT_FROM: Final = 0.1
_LEFT_TO: Final = 0.9
# who skips before it did not want the track; listens weigh it so, too
_SKIPPED_FROM: Final = 0.5
_LEAST_TRACKS: Final = 2
_N_TRACKS: Final = 4
_N_CARDS: Final = 6
_MOST_PLAYLISTS: Final = 200
_LISTEN: Final = (
    *("track_id", "action", "listened_at"),
    *("played_ms", "duration_ms", "weight", "source"),
)


class Play(NamedTuple):
    """The last word of a play, as in `listens`."""

    track_id: str
    action: str
    listened_at: datetime
    played_ms: int | None
    duration_ms: int | None
    weight: float
    surface: str = ""


@dataclass(frozen=True, slots=True)
class Whole:
    """An album, an artist or a playlist: what is heard in part.

    Attributes
    ----------
    n_tracks : int
        Of all of it.
    heard : frozenset of str
        Tracks of it that were heard lately.
    at : datetime
        When the last of them was.
    """

    name: str
    href: str
    n_tracks: int
    heard: frozenset[str]
    at: datetime
    cover_track_id: str | None


@dataclass(frozen=True, slots=True)
class KeepListening:
    """What a listener may want to go on with."""

    tracks: Sequence[NotedTrack]
    cards: Sequence[Card]


async def read_keep_listening(
    database: AsyncDatabase[Document], listener: str, clock: Clock
) -> KeepListening:
    """Read what a listener left in the middle, and heard in part, the latest first."""
    now = clock()
    listens = await _read_listens(database, listener, now - _LATELY)
    cards = await read_cards(database, {each.track_id for each in listens})
    known = [each for each in listens if each.track_id in cards]
    heard = first_of_each(each for each in known if each.weight > 0)
    wholes = [
        *await _read_playlists(database, listener, heard),
        *await _read_groups(database, "album", heard, cards),
        *await _read_groups(database, "artist", heard, cards),
    ]
    played = {each.track_id for each in known}
    disliked = await _read_disliked(database, listener, played)
    wanted = [each for each in known if each.track_id not in disliked]
    left = left_in_the_middle(wanted, now)[:_N_TRACKS]
    return KeepListening(
        [NotedTrack(cards[each.track_id], _left_at(each)) for each in left],
        [_card(each) for each in in_part(wholes)[:_N_CARDS]],
    )


def first_of_each(listens: Iterable[Play]) -> dict[str, Play]:
    """Return the first listen of each track."""
    found: dict[str, Play] = {}
    for each in listens:
        found.setdefault(each.track_id, each)
    return found


def left_in_the_middle(listens: Sequence[Play], now: datetime) -> list[Play]:
    """Return the latest listen of each track that was not heard to its end.

    Not what may still be playing, nor what was skipped before its half.

    Parameters
    ----------
    listens : sequence of Play
        The newest first.
    """
    return [each for each in first_of_each(listens).values() if _is_left(each, now)]


def in_part(wholes: Iterable[Whole]) -> list[Whole]:
    """Return what was heard in part, the latest first; of the same tracks the first."""
    told = set[frozenset[str]]()
    kept = []
    for each in wholes:
        if _LEAST_TRACKS <= len(each.heard) < each.n_tracks and each.heard not in told:
            told.add(each.heard)
            kept.append(each)
    return sorted(kept, key=lambda each: each.at, reverse=True)


def _is_left(listen: Play, now: datetime) -> bool:
    played_ms, length_ms = listen.played_ms, listen.duration_ms
    if played_ms is None or not length_ms:
        return False
    part = played_ms / length_ms
    if listen.action == Action.SKIPPED:
        return _SKIPPED_FROM <= part <= _LEFT_TO
    ends_at = listen.listened_at + timedelta(milliseconds=length_ms - played_ms)
    has_stopped = listen.action == Action.PROGRESSED and ends_at < now
    return has_stopped and _LEFT_FROM <= part <= _LEFT_TO


def _left_at(listen: Play) -> tuple[str | datetime, ...]:
    heard, length = clock_text(listen.played_ms), clock_text(listen.duration_ms)
    return f"{heard} of {length} heard at ", listen.listened_at


async def _read_listens(
    database: AsyncDatabase[Document], listener: str, since: datetime
) -> list[Play]:
    wanted = {"user_id": listener, "listened_at": {"$gte": since}}
    found = database[store.LISTENS].find(wanted, _LISTEN)
    rows = found.sort("listened_at", DESCENDING).limit(MOST_LISTENS)
    return [_listen(row) async for row in rows]


async def _read_disliked(
    database: AsyncDatabase[Document], listener: str, track_ids: Iterable[str]
) -> set[str]:
    keys = [f"{listener}|{track_id}" for track_id in track_ids]
    wanted = {"_id": {"$in": keys}, "action": Action.DISLIKED.value}
    found = database[store.REACTIONS].find(wanted, ("track_id",))
    return {each["track_id"] async for each in found}


def _listen(row: Document) -> Play:
    return Play(
        row["track_id"],
        row["action"],
        row["listened_at"],
        row.get("played_ms"),
        row.get("duration_ms"),
        row["weight"],
        str((row.get("source") or {}).get("surface") or ""),
    )


async def _read_groups(
    database: AsyncDatabase[Document],
    kind: Literal["album", "artist"],
    heard: Mapping[str, Play],
    cards: Mapping[str, TrackCard],
) -> list[Whole]:
    parts: dict[str, list[Play]] = {}
    for track_id, listen in heard.items():
        card = cards[track_id]
        key = card.album_id if kind == "album" else card.artist_id
        parts.setdefault(key, []).append(listen)
    wanted = [key for key, each in parts.items() if key and len(each) >= _LEAST_TRACKS]
    found = database[{"album": store.ALBUMS, "artist": store.ARTISTS}[kind]].find(
        {"_id": {"$in": wanted}}, ("name", "n_tracks", "cover_track_id")
    )
    return [
        _whole(each, f"/{kind}/{each['_id']}", parts[each["_id"]])
        async for each in found
    ]


async def _read_playlists(
    database: AsyncDatabase[Document], listener: str, heard: Mapping[str, Play]
) -> list[Whole]:
    """Read the listener's playlists from which something was played."""
    played = {k: each for k, each in heard.items() if each.surface == "playlist"}
    if len(played) < _LEAST_TRACKS:
        return []
    mine = {"user_id": listener, "deleted_at": None, "track_ids": {"$in": [*played]}}
    found = database[store.PLAYLISTS].find(mine, ("name", "track_ids"))
    wholes = []
    async for each in found.limit(_MOST_PLAYLISTS):
        tracks = dict.fromkeys(each["track_ids"])
        key = each["_id"].rpartition("|")[2]
        facts = {"name": each["name"], "n_tracks": len(tracks)}
        facts["cover_track_id"] = next(iter(tracks))
        parts = [played[track_id] for track_id in tracks if track_id in played]
        wholes.append(_whole(facts, f"/playlist/{key}", parts))
    return wholes


def _whole(facts: Mapping[str, Any], href: str, parts: Sequence[Play]) -> Whole:
    return Whole(
        facts["name"],
        href,
        facts.get("n_tracks") or 0,
        frozenset(each.track_id for each in parts),
        max(each.listened_at for each in parts),
        facts.get("cover_track_id"),
    )


def _card(whole: Whole) -> Card:
    words = f"{len(whole.heard)} of {whole.n_tracks} tracks heard lately"
    return Card(whole.name, whole.href, words, whole.cover_track_id)
