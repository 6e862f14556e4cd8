"""What the listener's page reads from MongoDB, as view records."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from pymongo import ASCENDING, DESCENDING
from pymongo.asynchronous.database import AsyncDatabase

from dashboard.reasons import causes_of, reason
from dashboard.records import ForYou, ListChange, ListedTrack, TrackCard
from segue import store
from segue.clock import rfc3339
from segue.store import Document

_MAX_FALLBACK_ARTISTS: Final = 500
_MOST_HEARD: Final = 100
_PAUSE: Final = timedelta(hours=1)
PRESENT: Final = {"missing": {"$ne": True}}
_NAMES: Final = ("title", "artist", "album", "genre")
CARD: Final = dict.fromkeys((*_NAMES, "duration_s", "artist_id", "album_id"), 1)
_HEARD: Final = {"_id": 0, "track_id": 1, "listened_at": 1, "weight": 1}
_SPEAKERS: Final = ("seed", "neighbour", "follows")


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
    if document is None:
        return await _read_fallback(database, listener, n_fallback)
    items, change = document["items"], document.get("diff") or {}
    heard = await read_session(database, listener, document["newest_event_at"])
    wanted = {*_named_tracks(items), *_changed_tracks(change), *heard}
    cards = await read_cards(database, wanted)
    tracks = _listed(items, cards, heard)
    if not tracks:
        return await _read_fallback(database, listener, n_fallback)
    changed_at: datetime = change.get("made_at") or document["updated_at"]
    return ForYou(
        listener,
        tracks,
        is_fallback=False,
        # while a play goes on the same list is written again and again
        list_id=f"{listener}@{rfc3339(changed_at)}",
        updated_at=document["updated_at"],
        newest_event_at=document["newest_event_at"],
        change=_change(change, cards),
        changed_at=changed_at,
        index_version=document.get("index_version") or "",
        model_version=document.get("model_version") or "",
    )


async def _read_fallback(
    database: AsyncDatabase[Document], listener: str, n: int
) -> ForYou:
    cards = await _read_one_track_per_artist(database)
    return fallback(listener, in_turn_by_style(cards)[:n])


async def read_session(
    database: AsyncDatabase[Document], listener: str, before: datetime
) -> dict[str, datetime]:
    """Read which tracks were heard in the session that ends with `before`, since when.

    It begins after the last pause of an hour; of a longer one the latest listens count.
    """
    wanted = {"user_id": listener, "listened_at": {"$lte": before}}
    found = database[store.LISTENS].find(wanted, _HEARD)
    rows = await found.sort("listened_at", DESCENDING).limit(_MOST_HEARD).to_list()
    heard: dict[str, datetime] = {}
    last = before
    for row in rows:
        if last - row["listened_at"] > _PAUSE:
            break
        last = row["listened_at"]
        if row["weight"] > 0:
            heard[row["track_id"]] = last
    return heard


def fallback(listener: str, cards: Sequence[TrackCard]) -> ForYou:
    """Return what is shown to somebody of whom nothing is known yet."""
    tracks = [
        ListedTrack(card, rank, None, {}, (f"A taste of {card.genre or card.artist}",))
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
    """Read the first track of each artist; one whose file is gone is passed over."""
    rows = await database[store.TRACKS].aggregate(
        [
            # sorted as an index is, and nothing else: one look into it an artist
            {"$sort": {"artist": 1, "album": 1, "title": 1}},
            {"$group": {"_id": "$artist", "track_id": {"$first": "$_id"}}},
            {"$sort": {"_id": 1}},
            {"$limit": _MAX_FALLBACK_ARTISTS},
        ]
    )
    track_ids = [row["track_id"] async for row in rows]
    cards = await read_cards(database, track_ids)
    return [cards[track_id] for track_id in track_ids if track_id in cards]


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
    found = database[store.TRACKS].find({**PRESENT, **wanted}, CARD).limit(limit)
    if order:
        found = found.sort([(name, ASCENDING) for name in order])
    return [card_of(row) async for row in found]


def _named_tracks(items: Iterable[Mapping[str, Any]]) -> set[str]:
    causes = [cause for item in items for cause in item.get("because", [])]
    told = [item.get(name) for item in items for name in _SPEAKERS]
    near = {track_id for track_id in told if track_id}
    return {row["track_id"] for row in [*items, *causes]} | near


def _changed_tracks(diff: Mapping[str, Any]) -> set[str]:
    about = diff.get("event", {}).get("track_id")
    return {*diff.get("left", []), *diff.get("came", []), *filter(None, [about])}


def _listed(
    items: Iterable[Mapping[str, Any]],
    cards: Mapping[str, TrackCard],
    heard: Mapping[str, datetime],
) -> list[ListedTrack]:
    """Return the rows in rank order, without tracks that left the library."""
    return [
        ListedTrack(
            cards[item["track_id"]],
            item["rank"],
            item["score"],
            item.get("parts", {}),
            reason(item, cards, heard),
            item.get("propensity"),
            causes_of(item, cards),
            bool(item.get("explored")),
        )
        for item in sorted(items, key=lambda item: item["rank"])
        if item["track_id"] in cards
    ]


def _change(
    diff: Mapping[str, Any], cards: Mapping[str, TrackCard]
) -> ListChange | None:
    event = diff.get("event")
    if event is None:
        return None
    left, came = diff["left"], diff["came"]
    return ListChange(
        event["action"],
        event["event_time"],
        cards.get(event["track_id"]),
        [cards[track_id] for track_id in left if track_id in cards],
        [cards[track_id] for track_id in came if track_id in cards],
        len(left),
        len(came),
    )


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
