"""What is known of the tracks of an index, kept in each worker's memory.

The catalogue says who made them, and a trained model who plays them.
"""

from functools import lru_cache
from pathlib import Path

from pymongo.database import Database

from models.groups import TrackFacts, TrackGroups, groups_of
from models.learned import Learned, learned_for
from segue import store
from segue.held_model import current_model
from segue.store import Document
from segue.track_index import TrackIndex


def read_groups(database: Database[Document], index: TrackIndex) -> TrackGroups:
    """Return which tracks of the index share artist, album or recording.

    They are read again when `tracks` has changed or the index is another.
    """
    return _groups_of(_Key(database, index), store.catalogue_version(database))


def read_learned(home: Path, index: TrackIndex) -> Learned | None:
    """Return the current model in the rows of an index; None where none was trained.

    In the place of one that cannot be used, this process keeps the one that it has.
    """
    model = current_model(home)
    return None if model is None else learned_for(model, index)


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
    tracks = key.database[store.TRACKS].find({}, TrackFacts._fields)
    return groups_of(tracks, key.index)
