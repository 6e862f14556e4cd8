"""Tracks that arrive while the stream runs: what was played of them counts at once.

The stream takes a new index with its next micro-batch, but a listener who plays nothing
would wait for ever. So a thread of the driver looks for new indexes, and brings those
listeners up to date who have played what has now come.
"""

import logging
from collections import defaultdict
from datetime import date

from pymongo.database import Database
from pymongo.errors import PyMongoError

from segue import store
from segue.builds import current_version
from segue.clock import Clock
from segue.errors import SegueError
from segue.settings import Settings
from segue.store import Document
from segue.track_index import TrackIndex, read_track_index
from streaming.panes import Pane
from streaming.rewriting import rewrite
from streaming.updating import refresh_list

_LOG = logging.getLogger(__name__)


class Arrivals:
    """Brings listeners up to date when there is a new index."""

    def __init__(
        self, database: Database[Document], settings: Settings, clock: Clock
    ) -> None:
        self._database, self._settings, self._clock = database, settings, clock
        self._seen: str | None = None

    def look(self) -> None:
        """Look for a new index; what fails is tried again by the next look."""
        folder = self._settings.home / "index"
        version = current_version(folder)
        if version == self._seen:
            return
        try:
            index = read_track_index(folder)
            n = count_arrived(self._database, index, self._settings, self._clock)
        except (SegueError, PyMongoError) as error:
            _LOG.warning("what came with index %s waits: %s", version, error)
            return
        self._seen = index.version
        if n:
            _LOG.info("index %s: %d listeners brought up to date", version, n)


def count_arrived(
    database: Database[Document], index: TrackIndex, settings: Settings, clock: Clock
) -> int:
    """Let plays count whose tracks the index has by now; return of how many listeners.

    Their panes are written anew, then the days that are over, then taste and list.
    """
    waiting = {"n_unknown_track": {"$gt": 0}, "index_version": {"$ne": index.version}}
    fields = ("user_id", "window_start")
    touched: dict[str, set[date]] = defaultdict(set)
    for pane in list(database[store.TASTE_WINDOWS].find(waiting, fields)):
        if rewrite(database, pane["_id"], _unchanged, index, clock):
            touched[pane["user_id"]].add(pane["window_start"].date())
    for user_id, dates in touched.items():
        refresh_list(database, user_id, index, settings, clock, frozenset(dates))
    return len(touched)


def _unchanged(pane: Pane) -> Pane:
    return pane
