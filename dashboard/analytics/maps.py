"""The taste map's points, from track index and library; they stay in memory."""

import asyncio
from itertools import chain, islice
from pathlib import Path
from typing import Final, cast

from bson import decode_all
from pymongo.asynchronous.database import AsyncDatabase

from dashboard.analytics.map_points import (
    MapPoints,
    Placed,
    place,
    points_of,
    wanted_ids,
)
from dashboard.queries import PRESENT
from dashboard.refusals import RefusedError
from segue import store
from segue.errors import IndexMissingError
from segue.map_layers import read_umap, umap_stamp
from segue.store import Document
from segue.track_index import read_track_index

_AT_ONCE: Final = 5_000
_FIELDS: Final = dict.fromkeys(
    ("genre_ids", "genres", "artist_id", "main_artist", "artist"), 1
)


class Maps:
    """Reads the points of the map; one at a time makes them anew.

    Parameters
    ----------
    home : Path
        Folder of Segue's own state, with the track index.
    """

    def __init__(self, database: AsyncDatabase[Document], home: Path) -> None:
        self._database, self._folder = database, home / "index"
        self._placed: tuple[int, Placed] | None = None
        self._points: tuple[Placed, int, MapPoints] | None = None
        self._reading = asyncio.Lock()

    async def read(self) -> MapPoints:
        """Return the points as they are now.

        Raises
        ------
        RefusedError
            Where there is no index, or none of its tracks is in the library.
        """
        async with self._reading:
            placed = await asyncio.to_thread(self._place)
            told = await self._database[store.CATALOGUE].find_one(store.TRACKS) or {}
            version = int(told.get("version", 0))
            if self._points is None or self._points[:2] != (placed, version):
                self._points = placed, version, await self._read(placed, version)
            points = self._points[2]
        if not len(points):
            raise _nothing(
                "None of the tracks that were analysed is in the library: "
                "`segue library scan` and `segue features build` bring both together."
            )
        return points

    def _place(self) -> Placed:
        """Return where the tracks of the current index lie."""
        try:
            index = read_track_index(self._folder)
        except IndexMissingError:
            raise _nothing(
                "No music was analysed yet; `segue features build DIR` does it."
            ) from None
        stamp = umap_stamp(self._folder, index.version)
        if (
            self._placed is None
            or self._placed[0] != stamp
            or self._placed[1].version != index.version
        ):
            n_tracks = len(index.track_ids)
            umap = read_umap(self._folder, index.version, n_tracks) if stamp else None
            self._placed = stamp, place(index, umap)
        return self._placed[1]

    async def _read(self, placed: Placed, version: int) -> MapPoints:
        tracks = self._database[store.TRACKS]
        n_tracks, batches = await tracks.count_documents(PRESENT), list[bytes]()
        ids = iter(wanted_ids(placed))
        while some := list(islice(ids, _AT_ONCE)):
            found = tracks.find_raw_batches({"_id": {"$in": some}, **PRESENT}, _FIELDS)
            # said to be documents, they are what the server sent
            batches += cast("list[bytes]", await found.to_list())
        return await asyncio.to_thread(
            lambda: points_of(
                placed,
                chain.from_iterable(map(decode_all, batches)),
                n_tracks,
                version,
            )
        )


def _nothing(detail: str) -> RefusedError:
    return RefusedError(404, "no_map", detail)
