"""What is known of the tracks of an index, kept in each worker's memory.

The catalogue says who made them, and a trained model who plays them.
"""

import logging
import time
from functools import lru_cache
from pathlib import Path
from typing import Final

from pymongo.database import Database

from models.groups import TrackFacts, TrackGroups, create_groups
from models.learned import Learned, learned_for
from segue import store
from segue.builds import current_version
from segue.errors import ModelError
from segue.store import Document
from segue.track_index import TrackIndex
from segue.trained_model import FOLDER, TrainedModel, open_model

_LOG = logging.getLogger(__name__)
# after which a model that could not be used is tried again
_AGAIN_S: Final = 5.0
_FIELDS: Final = ("artist_id", "album_id", "recording_id")


def read_groups(database: Database[Document], index: TrackIndex) -> TrackGroups:
    """Return which tracks of the index share artist, album or recording.

    They are read again when `tracks` has changed or the index is another.
    """
    return _groups_of(_Key(database, index), store.catalogue_version(database))


def read_learned(home: Path, index: TrackIndex) -> Learned | None:
    """Return the current model in the rows of an index; None where none was trained.

    In the place of one that cannot be used, this process keeps the one that it has.
    """
    model = _held_in(home / FOLDER).look()
    return None if model is None else learned_for(model, index)


class _Held:
    """The model that this process has."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._model: TrainedModel | None = None
        self._failed: tuple[str, float] | None = None

    def look(self) -> TrainedModel | None:
        """Return the current model, or the last that could be used."""
        version = current_version(self._folder)
        if version is None:
            return None
        if self._model is not None and self._model.version == version:
            return self._model
        now = time.monotonic()
        failed, until = self._failed or ("", 0.0)
        if failed == version and now < until:
            return self._model
        try:
            self._model = open_model(self._folder, version)
        except ModelError as error:
            if failed != version:
                _LOG.warning("lists go on without it: %s", error)
            self._failed = version, now + _AGAIN_S
        return self._model


@lru_cache(maxsize=8)
def _held_in(folder: Path) -> _Held:
    return _Held(folder)


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
