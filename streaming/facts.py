"""What the catalogue says of the tracks of an index, kept in each worker's memory."""

from functools import lru_cache
from typing import Final

from pymongo.database import Database

from models.groups import TrackFacts, TrackGroups, create_groups
from segue import store
from segue.store import Document
from segue.track_index import TrackIndex

_FIELDS: Final = ("artist_id", "album_id", "recording_id")


def read_groups(database: Database[Document], index: TrackIndex) -> TrackGroups:
    """Return which tracks of the index share artist, album or recording.

    They are read again when `tracks` has changed or the index is another.
    """
    return _groups_of(_Key(database, index), store.catalogue_version(database))


class _Key:
    """A database and an index, the same wherever they have the same names."""

    def __init__(self, database: Database[Document], index: TrackIndex) -> None:
        self.database, self.index = database, index
        self._name = (database.client.address, database.name, index.version)

    def __hash__(self) -> int:
        return hash(self._name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self._name == other._name


@lru_cache(maxsize=1)
def _groups_of(key: _Key, _version: int) -> TrackGroups:
    found = key.database[store.TRACKS].find({}, _FIELDS)
    facts = {
        track["_id"]: TrackFacts(*(track.get(name) for name in _FIELDS))
        for track in found
        if track["_id"] in key.index.row_of
    }
    return create_groups(key.index.track_ids, facts)
