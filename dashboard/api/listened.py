"""A listener's history, read from `listens` and told as ListenBrainz tells it.

There, `listened_at` is when a play began; ours is when it ended. A play of which
little was heard is no listen.
"""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from pymongo import ASCENDING, DESCENDING
from pymongo.asynchronous.database import AsyncDatabase

from dashboard.api.submission import MAX_DURATION
from segue import store
from segue.events import Action
from segue.store import Document

_UNKNOWN: Final = "[unknown]"
_MSID_SPACE: Final = uuid.UUID("6f1f3a3e-55f0-4a0e-8a5c-2f6f3f1c9d10")
_NAMES: Final = {"title": 1, "artist": 1, "album": 1, "duration_s": 1}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_S: Final = 250_000_000_000
_BEGAN_AT: Final = {
    "$dateSubtract": {
        "startDate": "$listened_at",
        "unit": "millisecond",
        "amount": {"$toLong": {"$ifNull": ["$played_ms", 0]}},
    }
}


async def read_listens(
    database: AsyncDatabase[Document],
    user_id: str,
    min_s: int | None,
    max_s: int | None,
    count: int,
) -> dict[str, Any]:
    """Return the payload of `/1/user/NAME/listens`, newest first.

    Parameters
    ----------
    min_s, max_s : int or None
        Unix times; plays that began after the one and before the other. With `min_s`
        alone these are the plays that follow it, else the newest ones.
    count : int
        Most listens.
    """
    is_forward = min_s is not None and max_s is None
    found = await _plays(database, user_id, _between(min_s, max_s), is_forward, count)
    latest = await _plays(database, user_id, {}, is_forward=False, count=1)
    oldest = await _plays(database, user_id, {}, is_forward=True, count=1)
    names = await _read_names(database, {play["track_id"] for play in found})
    found.sort(key=lambda play: play["began_at"], reverse=True)
    return {
        "user_id": user_id,
        "count": len(found),
        "latest_listen_ts": _unix_s(latest[0]["began_at"]) if latest else 0,
        "oldest_listen_ts": _unix_s(oldest[0]["began_at"]) if oldest else 0,
        "listens": [listen_of(play, names.get(play["track_id"], {})) for play in found],
    }


async def count_listens(database: AsyncDatabase[Document], user_id: str) -> int:
    """Return how many listens there are of a listener."""
    return await database[store.LISTENS].count_documents(_listens_of(user_id))


def listen_of(play: Mapping[str, Any], track: Mapping[str, Any]) -> dict[str, Any]:
    """Return one play in the shape of ListenBrainz.

    Parameters
    ----------
    track : mapping
        Its document in the catalogue; empty where there is none.
    """
    source = play.get("source") or {}
    told = {
        "artist_name": track.get("artist") or source.get("artist") or _UNKNOWN,
        "track_name": track.get("title") or source.get("title") or _UNKNOWN,
        "release_name": track.get("album") or source.get("album"),
    }
    info = {
        "duration_ms": play.get("duration_ms"),
        "played_ms": play.get("played_ms"),
        "music_service_name": source.get("surface"),
    }
    return {
        "user_name": play["user_id"],
        "listened_at": _unix_s(play["began_at"]),
        "recording_msid": str(uuid.uuid5(_MSID_SPACE, play["track_id"])),
        "track_metadata": {
            **{name: value for name, value in told.items() if value is not None},
            "additional_info": {k: v for k, v in info.items() if v is not None},
        },
    }


async def _plays(
    database: AsyncDatabase[Document],
    user_id: str,
    began: dict[str, datetime],
    is_forward: bool,
    count: int,
) -> list[Document]:
    """Return so many plays, in the order of the index: by when they ended."""
    if not count:
        return []
    ended: dict[str, datetime] = {}
    if "$gt" in began:
        ended["$gt"] = began["$gt"]
    if "$lt" in began:  # no play is longer
        ended["$lt"] = began["$lt"] + MAX_DURATION
    wanted = _listens_of(user_id) | ({"listened_at": ended} if ended else {})
    order = ASCENDING if is_forward else DESCENDING
    cursor = await database[store.LISTENS].aggregate(
        [
            {"$match": wanted},
            {"$sort": {"listened_at": order}},
            {"$set": {"began_at": _BEGAN_AT}},
            *([{"$match": {"began_at": began}}] if began else []),
            {"$limit": count},
        ]
    )
    return await cursor.to_list()


def _listens_of(user_id: str) -> dict[str, Any]:
    # what is still playing, and has not been heard for half, has weight 0
    is_listen = [
        {"weight": {"$gt": 0}},
        {"weight": 0, "action": {"$ne": Action.PROGRESSED.value}},
    ]
    return {"user_id": user_id, "$or": is_listen}


def _between(min_s: int | None, max_s: int | None) -> dict[str, datetime]:
    began = {}
    if min_s is not None:
        # what began within that second did not begin after it
        began["$gt"] = _moment(min_s) + timedelta(milliseconds=999)
    if max_s is not None:
        began["$lt"] = _moment(max_s)
    return began


def _moment(seconds: int) -> datetime:
    return _EPOCH + timedelta(seconds=min(seconds, _LAST_S))


async def _read_names(
    database: AsyncDatabase[Document], track_ids: set[str]
) -> dict[str, Document]:
    wanted = {"_id": {"$in": sorted(track_ids)}}
    found = await database[store.TRACKS].find(wanted, _NAMES).to_list()
    return {track["_id"]: track for track in found}


def _unix_s(moment: datetime) -> int:
    return int(moment.timestamp())
