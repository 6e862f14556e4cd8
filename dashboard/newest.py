"""New in the library: the albums, and single tracks, that were added last."""

from typing import Final
from urllib.parse import quote

from pymongo import DESCENDING
from pymongo.asynchronous.database import AsyncDatabase

from dashboard.queries import CARD, PRESENT, card_of
from dashboard.records import Card, TrackCard
from segue import store
from segue.store import Document

_MOST_TRACKS: Final = 200
_N_CARDS: Final = 12


async def read_newest(database: AsyncDatabase[Document]) -> list[Card]:
    """Read what was added last, an album once, as ways to it."""
    wanted = {**PRESENT, "added_at": {"$exists": True}}
    found = database[store.TRACKS].find(wanted, CARD).sort("added_at", DESCENDING)
    return newest([card_of(row) async for row in found.limit(_MOST_TRACKS)])


def newest(tracks: list[TrackCard]) -> list[Card]:
    """Return the first few albums of tracks, and tracks that have none.

    Examples
    --------
    >>> tide = TrackCard("t", "Tide", "Ina", "Sea", "", None, album_id="s")
    >>> lone = TrackCard("l", "Lone", "Bo", "", "", None)
    >>> [(card.name, card.text, card.href) for card in newest([tide, lone, tide])]
    [('Sea', 'Ina', '/album/s'), ('Lone', 'Bo', '/track/l')]
    """
    cards: dict[str, Card] = {}
    for each in tracks:
        name, href = each.title, f"/track/{quote(each.track_id, safe='')}"
        if each.album_id:
            name, href = each.album, f"/album/{each.album_id}"
        cards.setdefault(href, Card(name, href, each.artist, each.track_id))
    return [*cards.values()][:_N_CARDS]
