"""How often tracks were played in the thirty days before a date, from `activity`."""

import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pymongo.database import Database

from segue import store
from segue.activity import Cells, Kind, Level, added, cells_of, code_of, empty
from segue.store import Document

DAYS: Final = 30
POPULAR_SHARE: Final = 0.01
"""Of the tracks that were played: those played most are popular."""
_ENDS: Final = ("n_completed", "n_skipped", "n_left")
_AT_ONCE: Final = 16


class Known(NamedTuple):
    """What the plays of before say of a track.

    Attributes
    ----------
    novelty_bits : float
        ``-log2((n + 1) / (N + T))``, where it has `n` of `N` plays, of `T` tracks that
        are in the catalogue: each is taken to have one more.
    """

    novelty_bits: float
    is_popular: bool


class Popularity:
    """Plays of some days, by track.

    Attributes
    ----------
    n_plays : int
        Of all tracks; 0 where there was nothing to judge by.
    """

    def __init__(self, cells: Cells, n_catalogue: int) -> None:
        plays = cells.n_plays
        self.n_plays, self.n_catalogue = int(plays.sum()), n_catalogue
        self.n_played = int((plays > 0).sum())
        # of equals always the same ones
        order = np.lexsort((cells.codes, -plays))
        popular = order[: math.ceil(POPULAR_SHARE * self.n_played)]
        self._codes, self._plays = cells.codes, plays
        self._popular = np.zeros(len(plays), bool)
        self._popular[popular] = True
        self._known: dict[str, Known] = {}

    @property
    def facts(self) -> Document:
        """By what a span was judged, for its document."""
        return {
            "days": DAYS,
            "n_plays": self.n_plays,
            "n_played_tracks": self.n_played,
            "n_popular_tracks": int(self._popular.sum()),
        }

    def of(self, track_id: str) -> Known:
        """Return what is known of a track."""
        found = self._known.get(track_id)
        if found is None:
            found = self._known[track_id] = self._look_up(code_of(track_id))
        return found

    def _look_up(self, code: int) -> Known:
        row = int(np.searchsorted(self._codes, code))
        is_there = row < len(self._codes) and self._codes[row] == code
        n = int(self._plays[row]) if is_there else 0
        share = (n + 1) / max(1, self.n_plays + self.n_catalogue)
        return Known(-math.log2(share), bool(is_there and self._popular[row]))


class Popularities:
    """Reads the popularity before a date; the last one stays as long as it is true."""

    def __init__(self, database: Database[Document]) -> None:
        self._database = database
        self._last: tuple[Mapping[str, Any], Popularity] | None = None

    def before(self, day: datetime) -> Popularity:
        """Return what was played in the thirty days that end with a midnight."""
        wanted = {
            "level": Level.DAY.value,
            "kind": Kind.TRACK.value,
            "start": {"$gte": day - timedelta(days=DAYS), "$lt": day},
        }
        # all of it is in the index
        rows = self._database[store.ACTIVITY].find(wanted, {"updated_at": 1})
        versions = {row["_id"]: row["updated_at"] for row in rows}
        told = {**versions, "catalogue": store.catalogue_version(self._database)}
        if self._last is None or self._last[0] != told:
            self._last = told, self._read([*versions])
        return self._last[1]

    def _read(self, names: list[str]) -> Popularity:
        total = empty()
        for first in range(0, len(names), _AT_ONCE):
            found = self._database[store.ACTIVITY].find(
                {"_id": {"$in": names[first : first + _AT_ONCE]}},
                dict.fromkeys(("codes", *_ENDS), 1),
            )
            total = added([_plain(total), *map(cells_of, found)])
        there = {"missing": {"$ne": True}}
        return Popularity(total, self._database[store.TRACKS].count_documents(there))


def _plain(cells: Cells) -> Cells:
    columns: dict[str, NDArray[np.int64]] = {n: cells.columns[n] for n in _ENDS}
    return Cells(cells.codes, columns)
