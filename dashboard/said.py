"""What a listener has said of tracks, as it stands now: liked, disliked, blocked."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from pymongo import DESCENDING
from pymongo.asynchronous.database import AsyncDatabase

from dashboard.queries import CARD, card_of
from dashboard.records import TrackCard
from segue import store
from segue.events import Action, Scope
from segue.store import Document

MOST_REACTIONS: Final = 5_000
MOST_BLOCKS: Final = 2_000
_GROUPS: Final = {
    Scope.ARTIST: "artist_id",
    Scope.ALBUM: "album_id",
    Scope.TRACK: "recording_id",
}
_FACTS: Final = dict.fromkeys((*CARD, "main_artist", "recording_id", "missing"), 1)


class Reaction(NamedTuple):
    """The last word on a track."""

    track_id: str
    action: str
    at: datetime


@dataclass(frozen=True, slots=True)
class KnownTrack:
    """A track of which something is stored, whether it is still there or not."""

    card: TrackCard
    is_there: bool


@dataclass(frozen=True, slots=True)
class Blocked:
    """What is to stay out of a listener's lists.

    Attributes
    ----------
    scope : str
        `track`, `artist` or `album`.
    key : str
        The recording, artist or album that is meant; where the catalogue knows none,
        the track itself.
    track : KnownTrack
        By which it was said.
    """

    scope: str
    key: str
    track: KnownTrack


async def read_reactions(
    database: AsyncDatabase[Document], listener: str, limit: int = MOST_REACTIONS
) -> list[Reaction]:
    """Read the last words on tracks, newest first; those taken back too."""
    rows = _newest(database, store.REACTIONS, {"user_id": listener}, limit)
    return [Reaction(e["track_id"], e["action"], e["at"]) async for e in rows]


async def read_liked(
    database: AsyncDatabase[Document], listener: str, limit: int
) -> list[KnownTrack]:
    """Read the tracks that a listener likes, the newest like first."""
    wanted = {"user_id": listener, "action": Action.LIKED.value}
    rows = _newest(database, store.REACTIONS, wanted, limit)
    ids = [each["track_id"] async for each in rows]
    known = await read_known(database, ids)
    return [known[track_id] for track_id in ids]


async def count_liked(database: AsyncDatabase[Document], listener: str) -> int:
    """Return how many tracks a listener likes."""
    wanted = {"user_id": listener, "action": Action.LIKED.value}
    return await database[store.REACTIONS].count_documents(wanted)


async def read_blocked(
    database: AsyncDatabase[Document], listener: str
) -> list[Blocked]:
    """Read what is blocked, the newest first.

    As for the lists, the last word about a recording, an artist or an album counts, by
    whichever of its tracks it was said; which they are is what the catalogue says now.
    """
    rows = _newest(database, store.BLOCKS, {"user_id": listener}, MOST_BLOCKS)
    words = await rows.to_list()
    facts = await _read_facts(database, {each["track_id"] for each in words})
    last: dict[tuple[str, str], Document] = {}
    for word in words:
        last.setdefault((word["scope"], _key_of(word, facts)), word)
    return [
        Blocked(scope, key, _known(word["track_id"], facts))
        for (scope, key), word in last.items()
        if word["action"] == Action.BLOCKED
    ]


async def read_known(
    database: AsyncDatabase[Document], track_ids: Iterable[str]
) -> dict[str, KnownTrack]:
    """Read tracks by id, those too that have left the library."""
    wanted = set(track_ids)
    facts = await _read_facts(database, wanted)
    return {track_id: _known(track_id, facts) for track_id in wanted}


def _newest(
    database: AsyncDatabase[Document], place: str, wanted: Document, limit: int
) -> Any:
    return database[place].find(wanted).sort("at", DESCENDING).limit(limit)


async def _read_facts(
    database: AsyncDatabase[Document], track_ids: Iterable[str]
) -> dict[str, Document]:
    wanted = {"_id": {"$in": sorted(track_ids)}}
    found = database[store.TRACKS].find(wanted, _FACTS)
    return {each["_id"]: each async for each in found}


def _key_of(word: Document, facts: Mapping[str, Document]) -> str:
    told = facts.get(word["track_id"], {})
    return str(told.get(_GROUPS[Scope(word["scope"])]) or word["track_id"])


def _known(track_id: str, facts: Mapping[str, Document]) -> KnownTrack:
    told = facts.get(track_id)
    if told is None:
        gone = TrackCard(track_id, "Unknown track", "Unknown artist", "", "", None)
        return KnownTrack(gone, is_there=False)
    return KnownTrack(card_of(told), is_there=told.get("missing") is not True)
