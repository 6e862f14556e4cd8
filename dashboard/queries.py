"""What the listener's page reads from MongoDB, as view records."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from pymongo import ASCENDING
from pymongo.asynchronous.database import AsyncDatabase

from dashboard.reasons import reason
from dashboard.records import ForYou, LibraryPage, ListedTrack, TrackCard
from dashboard.search import MAX_SEARCH_CHARS
from segue import store
from segue.clock import rfc3339
from segue.store import Document

MAX_LIBRARY_ROWS: Final = 500
_MAX_WORDS: Final = 6
_MAX_FALLBACK_ARTISTS: Final = 500
_SEARCHED: Final = ("title", "artist", "album", "genre")
_PRESENT: Final = {"missing": {"$ne": True}}
_CARD: Final = dict.fromkeys((*_SEARCHED, "duration_s", "artist_id", "album_id"), 1)


async def read_for_you(
    database: AsyncDatabase[Document], listener: str, n_fallback: int
) -> ForYou:
    """Read a listener's list, or a marked fallback where there is none yet.

    Parameters
    ----------
    n_fallback : int
        Length of a fallback.
    """
    document = await database[store.RECOMMENDATIONS].find_one({"_id": listener})
    items = [] if document is None else document["items"]
    cards_of = await read_cards(database, _named_tracks(items))
    tracks = _listed(items, cards_of)
    if document is None or not tracks:
        cards = await _read_one_track_per_artist(database)
        return fallback(listener, in_turn_by_style(cards)[:n_fallback])
    return ForYou(
        listener,
        tracks,
        is_fallback=False,
        list_id=f"{listener}@{rfc3339(document['updated_at'])}",
        updated_at=document["updated_at"],
        newest_event_at=document["newest_event_at"],
    )


async def read_library(
    database: AsyncDatabase[Document], search: str, limit: int
) -> LibraryPage:
    """Read the first `limit` tracks in which each word of `search` occurs."""
    tracks = database[store.TRACKS]
    wanted = search_filter(search)
    order = [(name, ASCENDING) for name in ("artist", "album", "track_no", "title")]
    found = tracks.find(wanted, _CARD).sort(order)
    rows = await found.limit(max(1, min(limit, MAX_LIBRARY_ROWS))).to_list()
    return LibraryPage(
        [card_of(row) for row in rows], await tracks.count_documents(wanted)
    )


async def read_n_tracks(database: AsyncDatabase[Document]) -> int:
    """Read how many tracks the library has."""
    return await database[store.TRACKS].count_documents(_PRESENT)


def search_filter(search: str) -> dict[str, Any]:
    """Return the filter for tracks that are there and have each word of `search`.

    Examples
    --------
    >>> search_filter("  ")
    {'missing': {'$ne': True}}
    >>> [list(each["$or"][0]) for each in search_filter("Blue dub")["$and"]]
    [['title'], ['title']]
    """
    words = search[:MAX_SEARCH_CHARS].split()[:_MAX_WORDS]
    if not words:
        return dict(_PRESENT)
    patterns = [{"$regex": re.escape(word), "$options": "i"} for word in words]
    found = [{"$or": [{name: p} for name in _SEARCHED]} for p in patterns]
    return {**_PRESENT, "$and": found}


def fallback(listener: str, cards: Sequence[TrackCard]) -> ForYou:
    """Return what is shown to somebody of whom nothing is known yet."""
    tracks = [
        ListedTrack(card, rank, None, {}, f"A taste of {card.genre or card.artist}")
        for rank, card in enumerate(cards, start=1)
    ]
    return ForYou(listener, tracks, is_fallback=True, list_id=f"{listener}@start")


def in_turn_by_style(cards: Iterable[TrackCard]) -> list[TrackCard]:
    """Order tracks so that each style comes once before one comes again.

    Examples
    --------
    >>> cards = [TrackCard(i, "", "", "", i[0], None) for i in ("a1", "a2", "b1")]
    >>> [card.track_id for card in in_turn_by_style(cards)]
    ['a1', 'b1', 'a2']
    """
    n_seen: dict[str, int] = {}
    turns = []
    for card in cards:
        turn = n_seen.get(card.genre, 0)
        n_seen[card.genre] = turn + 1
        turns.append((turn, card.genre, card))
    return [card for _, _, card in sorted(turns, key=lambda each: each[:2])]


async def _read_one_track_per_artist(
    database: AsyncDatabase[Document],
) -> list[TrackCard]:
    first = {name: {"$first": f"${name}"} for name in (*_CARD, "_id")}
    rows = await database[store.TRACKS].aggregate(
        [
            {"$match": _PRESENT},
            {"$sort": {"artist": 1, "album": 1, "title": 1}},
            {"$group": {**first, "_id": "$artist", "track_id": {"$first": "$_id"}}},
            {"$sort": {"_id": 1}},
            {"$limit": _MAX_FALLBACK_ARTISTS},
        ]
    )
    return [card_of(row | {"_id": row["track_id"]}) async for row in rows]


async def read_cards(
    database: AsyncDatabase[Document], track_ids: Iterable[str]
) -> dict[str, TrackCard]:
    """Read those of some tracks that are there, by id."""
    cards = await read_tracks(database, {"_id": {"$in": list(track_ids)}}, [])
    return {card.track_id: card for card in cards}


async def read_tracks(
    database: AsyncDatabase[Document],
    wanted: Mapping[str, Any],
    order: Sequence[str],
    limit: int = 0,
) -> list[TrackCard]:
    """Read the tracks that are there and fit, sorted by some fields."""
    found = database[store.TRACKS].find({**_PRESENT, **wanted}, _CARD).limit(limit)
    if order:
        found = found.sort([(name, ASCENDING) for name in order])
    return [card_of(row) async for row in found]


def _named_tracks(items: Iterable[Mapping[str, Any]]) -> set[str]:
    causes = [cause for item in items for cause in item.get("because", [])]
    told = [item.get(name) for item in items for name in ("neighbour", "follows")]
    near = {track_id for track_id in told if track_id}
    return {row["track_id"] for row in [*items, *causes]} | near


def _listed(
    items: Iterable[Mapping[str, Any]], cards: Mapping[str, TrackCard]
) -> list[ListedTrack]:
    """Return the rows in rank order, without tracks that left the library."""
    return [
        ListedTrack(
            cards[item["track_id"]],
            item["rank"],
            item["score"],
            item.get("parts", {}),
            reason(item, cards),
            item.get("propensity"),
        )
        for item in sorted(items, key=lambda item: item["rank"])
        if item["track_id"] in cards
    ]


def card_of(row: Mapping[str, Any]) -> TrackCard:
    """Return a document of `tracks` as a record."""
    duration_s = row.get("duration_s")
    return TrackCard(
        row["_id"],
        row.get("title") or "Untitled",
        row.get("artist") or "Unknown artist",
        row.get("album") or "",
        row.get("genre") or "",
        None if duration_s is None else round(duration_s * 1000),
        row.get("artist_id") or "",
        row.get("album_id") or "",
    )


def seconds_between(earlier: datetime | None, later: datetime | None) -> float | None:
    """Return the seconds from one moment to another; None where one is missing."""
    if earlier is None or later is None:
        return None
    return (later - earlier).total_seconds()
