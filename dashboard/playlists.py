"""Playlists of listeners: what is kept of them, and how it is changed.

A playlist's `_id` begins with its listener, so that nobody reaches another's. A change
is written only over the version that it was made from, else it is made anew.
"""

import secrets
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from pymongo import DESCENDING
from pymongo.asynchronous.database import AsyncDatabase

from dashboard.playlist_edits import (
    Row,
    changed_meanwhile,
    inserted,
    moved,
    place_of,
    removed,
    require_current,
)
from dashboard.playlist_records import (
    Playlist,
    Summary,
    checked_name,
    covers_of,
    playlist_of,
    summary_of,
)
from dashboard.playlist_tracks import (
    read_albums,
    read_durations_ms,
    require_known,
    total_ms,
)
from dashboard.refusals import RefusedError
from segue import store
from segue.clock import Clock
from segue.store import Document

MAX_PLAYLISTS: Final = 500
"""Of one listener; as many may lie deleted."""
_KEY_BYTES: Final = 8
_TOKEN_BYTES: Final = 16
_TRIES: Final = 8
_LOOKED_AT: Final = 12
_KEPT_FOR: Final = timedelta(seconds=store.DELETED_PLAYLISTS_S)
_IS_THERE: Final = {"deleted_at": None}


class Playlists:
    """Reads and changes playlists; `user_id` is always whose they are."""

    def __init__(self, database: AsyncDatabase[Document], clock: Clock) -> None:
        self._database, self._clock = database, clock
        self._all = database[store.PLAYLISTS]

    async def read_all(self, user_id: str) -> list[Summary]:
        """Return all playlists of a listener, the last changed first."""
        found = await self._all.aggregate(
            [
                {"$match": {"user_id": user_id, **_IS_THERE}},
                {"$sort": {"changed_at": DESCENDING}},
                {
                    "$project": {
                        **dict.fromkeys(("name", "version", "duration_ms"), 1),
                        "n_tracks": {"$size": "$track_ids"},
                        "is_shared": {"$ne": [{"$ifNull": ["$shared", None]}, None]},
                        "first": {"$slice": ["$track_ids", _LOOKED_AT]},
                    }
                },
            ]
        )
        rows = await found.to_list()
        albums = await read_albums(
            self._database, (id_ for row in rows for id_ in row["first"])
        )
        return [summary_of(row, albums) for row in rows]

    async def read(self, user_id: str, key: str) -> Playlist:
        """Return a playlist.

        Raises
        ------
        RefusedError
            When its listener has none of this key.
        """
        wanted = {"_id": _id(user_id, key), **_IS_THERE}
        return playlist_of(await self._all.find_one(wanted))

    async def read_shared(self, token: str) -> Playlist:
        """Return the playlist to which a shared link leads.

        Raises
        ------
        RefusedError
            When it leads nowhere, or no longer.
        """
        return playlist_of(await self._all.find_one({"shared": token, **_IS_THERE}))

    async def read_covers(self, playlist: Playlist) -> list[str]:
        """Return up to four tracks of different albums, whose covers stand for it."""
        first = playlist.track_ids[:_LOOKED_AT]
        return covers_of(first, await read_albums(self._database, first))

    async def create(
        self, user_id: str, name: str, track_ids: Sequence[str] = ()
    ) -> Playlist:
        """Make a playlist.

        Raises
        ------
        RefusedError
            When the name or a track cannot be taken, or there are too many.
        """
        key, now = secrets.token_hex(_KEY_BYTES), self._clock()
        known = await read_durations_ms(self._database, track_ids)
        document = {
            "_id": _id(user_id, key),
            "user_id": user_id,
            "name": checked_name(name),
            "track_ids": inserted([], track_ids),
            "duration_ms": total_ms(Counter(track_ids), known),
            "version": 1,
            "created_at": now,
            "changed_at": now,
        }
        require_known(track_ids, known)
        await self._require_room(user_id)
        await self._all.insert_one(document)
        return playlist_of(document)

    async def copy(self, user_id: str, playlist: Playlist) -> Playlist:
        """Make a playlist of what is known of another's."""
        known = await read_durations_ms(self._database, playlist.track_ids)
        track_ids = [each for each in playlist.track_ids if each in known]
        return await self.create(user_id, playlist.name, track_ids)

    async def rename(self, user_id: str, key: str, was: str, name: str) -> Playlist:
        """Give a playlist another name, unless somebody else did meanwhile."""
        wanted = checked_name(name)

        def change(seen: Playlist) -> Document:
            if seen.name not in (was, wanted):
                raise changed_meanwhile()
            return {"name": wanted}

        return await self._change(user_id, key, change)

    async def add(
        self, user_id: str, key: str, new: Sequence[str], at: int | None
    ) -> tuple[Playlist, int]:
        """Put tracks before a place, or at the end; return the first one's place."""
        require_known(new, await read_durations_ms(self._database, new))
        playlist = await self._reorder(
            user_id, key, lambda seen: inserted(seen.track_ids, new, at)
        )
        end = len(playlist.track_ids) - len(new)
        return playlist, end if at is None else min(at, end)

    async def remove(self, user_id: str, key: str, row: Row) -> tuple[Playlist, int]:
        """Take a row out; return the place at which it was."""
        places = list[int]()

        def change(seen: Playlist) -> list[str]:
            places.append(place_of(seen.track_ids, seen.version, row))
            return removed(seen.track_ids, places[-1])

        playlist = await self._reorder(user_id, key, change)
        return playlist, places[-1]

    async def move(self, user_id: str, key: str, row: Row, to: int) -> Playlist:
        """Put a row to another place."""

        def change(seen: Playlist) -> Document:
            require_current(seen.version, row)
            place = place_of(seen.track_ids, seen.version, row)
            return {"track_ids": moved(seen.track_ids, place, to)}

        return await self._change(user_id, key, change)

    async def delete(self, user_id: str, key: str) -> None:
        """Take a playlist away; for a day it can be had back."""
        await self._change(user_id, key, lambda _: {"deleted_at": self._clock()})

    async def undelete(self, user_id: str, key: str) -> Playlist:
        """Bring back a playlist that was deleted; one that is there stays."""
        since = self._clock() - _KEPT_FOR
        wanted = {"_id": _id(user_id, key), "deleted_at": {"$gt": since}}
        if await self._all.find_one(wanted, ()):
            await self._require_room(user_id)
            back = {"$unset": {"deleted_at": ""}, "$inc": {"version": 1}}
            await self._all.update_one(wanted, back)
        return await self.read(user_id, key)

    async def share(self, user_id: str, key: str) -> Playlist:
        """Give a playlist a link, or leave it the one that it has."""

        def change(seen: Playlist) -> Document:
            return {"shared": seen.shared or secrets.token_urlsafe(_TOKEN_BYTES)}

        return await self._change(user_id, key, change)

    async def unshare(self, user_id: str, key: str) -> Playlist:
        """Take a playlist's link away: from now on it leads nowhere."""
        return await self._change(user_id, key, lambda _: {"shared": None})

    async def _reorder(
        self, user_id: str, key: str, order: Callable[[Playlist], list[str]]
    ) -> Playlist:
        def change(seen: Playlist) -> Document:
            return {"track_ids": order(seen)}

        return await self._change(user_id, key, change)

    async def _change(
        self, user_id: str, key: str, change: Callable[[Playlist], Document]
    ) -> Playlist:
        for _ in range(_TRIES):
            seen = await self.read(user_id, key)
            fields = {**change(seen), "changed_at": self._clock()}
            if "track_ids" in fields:
                fields["duration_ms"] = await self._new_duration_ms(
                    seen, fields["track_ids"]
                )
            as_seen = {"_id": _id(user_id, key), "version": seen.version, **_IS_THERE}
            done = await self._all.update_one(
                as_seen, {"$set": fields, "$inc": {"version": 1}}
            )
            if done.matched_count:
                fields.pop("deleted_at", None)
                return replace(seen, **fields, version=seen.version + 1)
        raise changed_meanwhile()

    async def _new_duration_ms(self, seen: Playlist, new: Sequence[str]) -> int:
        """Return the length after a change, from the tracks that came and left."""
        old, now = Counter(seen.track_ids), Counter(new)
        came, left = now - old, old - now
        known = await read_durations_ms(self._database, came | left)
        if known.keys() >= (came | left).keys():
            return seen.duration_ms + total_ms(came, known) - total_ms(left, known)
        # what is no longer known had a length once
        return total_ms(now, await read_durations_ms(self._database, now))

    async def _require_room(self, user_id: str) -> None:
        mine = {"user_id": user_id}
        n_there = await self._all.count_documents({**mine, **_IS_THERE})
        n_all = await self._all.count_documents(mine)
        if n_there >= MAX_PLAYLISTS or n_all >= 2 * MAX_PLAYLISTS:
            raise RefusedError(
                400,
                "too_many_playlists",
                f"you have {n_there} playlists and {n_all - n_there} that were deleted "
                f"within a day; at most {MAX_PLAYLISTS} of each are kept",
            )


def _id(user_id: str, key: str) -> str:
    return f"{user_id}|{key}"
