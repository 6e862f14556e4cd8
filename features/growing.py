"""The index while a build goes on: a new track is in it seconds after its row.

A build of a large library takes hours, and its index was made at its end. Here a thread
looks for parts that tasks have committed and places their tracks in the space that is.
What has left the library leaves the index with the build's end.
"""

from collections.abc import Callable, Set
from pathlib import Path
from typing import Final

import pyarrow.parquet as pq
from pymongo.errors import PyMongoError

from features.index import build_index
from features.spec import FeatureSpec
from features.table import TRACKS, table_folder
from segue.clock import Clock
from segue.errors import IndexMissingError, SegueError
from segue.repeating import Repeating
from segue.settings import Settings
from segue.track_index import read_track_index

_LOOK_S: Final = 2.0
# a space of fewer says little
_FEWEST: Final = 32
# in between the space is fitted anew only when the catalogue has doubled
_REFIT_SHARE: Final = 1.0


class GrowingIndex:
    """Brings the index up to date beside a build, within its `with` block.

    Parameters
    ----------
    listed : callable
        Returns those of some tracks that may be in a list by now.
    report : callable
        Takes a line where the index cannot be written; the next look tries again.
    """

    def __init__(
        self,
        settings: Settings,
        listed: Callable[[Set[str]], Set[str]],
        clock: Clock,
        report: Callable[[str], None],
    ) -> None:
        features = settings.features.model_copy(update={"refit_share": _REFIT_SHARE})
        self._settings = settings.model_copy(update={"features": features})
        self._listed, self._clock, self._report = listed, clock, report
        self._parts = table_folder(settings.home, FeatureSpec()) / TRACKS
        self._present: Set[str] = frozenset()
        self._waiting: set[str] = set()
        self._seen: frozenset[Path] = frozenset()
        self._thread = Repeating("growing index", _LOOK_S, self.look)

    def __enter__(self) -> "GrowingIndex":
        self._seen = self._committed()
        self._present = indexed_tracks(self._settings.home / "index")
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.end()

    def look(self) -> None:
        """Take in what has been committed since the last look."""
        try:
            committed = self._committed()
            for part in sorted(committed - self._seen):
                ids = pq.read_table(part, columns=["track_id"])["track_id"]
                self._waiting |= set(ids.to_pylist()) - self._present
            self._seen = committed
            new = self._listed(self._waiting) if self._waiting else frozenset()
            if new and len(self._present) + len(new) >= _FEWEST:
                present = self._present | new
                build_index(self._settings, self._clock(), present=present)
                self._present, self._waiting = present, self._waiting - new
        except (SegueError, OSError, PyMongoError) as error:
            self._report(f"the index waits for the build's end: {error}")

    def _committed(self) -> frozenset[Path]:
        return frozenset(self._parts.glob("[!.]*.parquet"))


def indexed_tracks(folder: Path) -> frozenset[str]:
    """Return the tracks of the current index; none where there is no index."""
    try:
        return frozenset(read_track_index(folder).track_ids)
    except IndexMissingError:
        return frozenset()
