"""Which tracks a filter means, as the catalogue says now."""

from collections.abc import Callable
from typing import Any

import pytest
from pymongo.asynchronous.database import AsyncDatabase

from dashboard.analytics.names import Names
from segue import store
from segue.settings import Settings
from segue.store import Document
from tests.dashboard.site import read

pytestmark = pytest.mark.mongo


def test_tracks_of_a_style_follow_the_catalogue(
    settings: Callable[..., Settings],
) -> None:
    ours = settings()
    database = store.connect(ours.mongo)

    def write(version: int, *tracks: str) -> None:
        made = [{"_id": each, "genre_ids": ["dub"]} for each in tracks]
        store.upsert(database, store.TRACKS, made)
        catalogue = {"_id": store.TRACKS, "version": version}
        store.upsert(database, store.CATALOGUE, [catalogue])

    async def ask(mine: AsyncDatabase[Document]) -> list[Any]:
        names = Names(mine)
        found: list[Any] = []
        for version in (1, 1, 2):
            # of the same version nothing is read again
            write(version, *(f"t{n}" for n in range(2 + len(found))))
            found.append(await names.tracks_in("dub", ""))
        return found

    first, second, third = read(ours, ask)
    assert first == {"t0", "t1"}
    assert second == first
    assert third == {"t0", "t1", "t2", "t3"}
    database.client.close()
