"""What a simulated listener plays next."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from segue.track_index import TrackIndex
from streaming.simulator.crowd import Crowd, Floats, Rows

NONE: Final = -1
CHOSEN: Final = ("taste", "new", "artist", "list")
"""Why a track was chosen, by number."""

_TASTE, _NEW, _ARTIST, _LIST = range(len(CHOSEN))
_N_LOOKED_AT: Final = 16
# each row of a list is chosen this much less often than the one before
_LIST_DECAY: Final = 0.6


class ListHead(NamedTuple):
    """The first tracks that a listener is recommended, as rows of the index."""

    list_id: str
    rows: Sequence[int]


ReadLists = Callable[[Sequence[str]], Mapping[str, ListHead]]
"""Returns the lists of those listeners who have one."""


@dataclass(frozen=True)
class Catalogue:
    """What can be played.

    Attributes
    ----------
    durations_ms : ndarray, int64, shape (n_tracks,)
        In the order of the index.
    artists : ndarray, int64, shape (n_tracks,)
        Number of each track's artist, from 0.
    """

    index: TrackIndex
    durations_ms: Rows
    artists: Rows


class Choices(NamedTuple):
    """What some listeners choose: rows, numbers of `CHOSEN`, list and rank."""

    rows: Rows
    reasons: Rows
    lists: list[tuple[str, int] | None]


class Chooser:
    """Chooses from the list, of the same artist, anything, or to one's taste."""

    def __init__(
        self,
        crowd: Crowd,
        catalogue: Catalogue,
        read_lists: ReadLists,
        rng: np.random.Generator,
    ) -> None:
        self._crowd, self._read_lists, self._rng = crowd, read_lists, rng
        self._vectors = np.asarray(catalogue.index.vectors, dtype=np.float32)
        artists = catalogue.artists
        self._by_artist = np.argsort(artists, kind="stable")
        self._first_of = np.searchsorted(
            artists[self._by_artist], np.arange(artists.max() + 2)
        )

    def choose(self, who: Rows, at_s: Floats, loved_artist: Rows) -> Choices:
        """Return what some listeners play at some instants.

        Parameters
        ----------
        loved_artist : ndarray, int64, shape (k,)
            Artist of what each last heard to its end; `NONE` for nobody.
        """
        crowd, luck = self._crowd, self._rng.random((2, len(who)))
        rows = self._to_taste(who, at_s)
        reasons = np.full(len(who), _TASTE)
        is_new = luck[0] < crowd.novelty[who]
        rows[is_new] = self._rng.integers(len(self._vectors), size=int(is_new.sum()))
        reasons[is_new] = _NEW
        stays = (luck[0] > 1 - crowd.loyalty[who]) & (loved_artist != NONE) & ~is_new
        rows[stays] = self._of_artists(loved_artist[stays])
        reasons[stays] = _ARTIST
        lists: list[tuple[str, int] | None] = [None] * len(who)
        asks = np.flatnonzero(luck[1] < crowd.from_list[who])
        heads = self._read_lists([crowd.user_ids[number] for number in who[asks]])
        for place, rank in zip(asks.tolist(), self._ranks(len(asks)), strict=True):
            head = heads.get(crowd.user_ids[who[place]])
            if head is not None and head.rows:
                chosen = min(rank, len(head.rows))
                rows[place], reasons[place] = head.rows[chosen - 1], _LIST
                lists[place] = head.list_id, chosen
        return Choices(rows, reasons, lists)

    def _to_taste(self, who: Rows, at_s: Floats) -> Rows:
        """Return the best of some tracks that come to mind, for one of the regions."""
        everyone = np.arange(len(who))
        regions = self._crowd.regions_at(who, at_s, self._vectors)
        bounds = self._crowd.shares[who].cumsum(axis=1)
        which = (self._rng.random(len(who))[:, None] >= bounds[:, :-1]).sum(axis=1)
        thought_of = self._rng.integers(
            len(self._vectors), size=(len(who), _N_LOOKED_AT)
        )
        cosines = np.einsum(
            "kd,kcd->kc", regions[everyone, which], self._vectors[thought_of]
        )
        best: Rows = thought_of[everyone, cosines.argmax(axis=1)]
        return best

    def _of_artists(self, artists: Rows) -> Rows:
        first, end = self._first_of[artists], self._first_of[artists + 1]
        places = first + (self._rng.random(len(artists)) * (end - first)).astype(int)
        chosen: Rows = self._by_artist[places]
        return chosen

    def _ranks(self, n: int) -> list[int]:
        ranks: list[int] = self._rng.geometric(1 - _LIST_DECAY, n).tolist()
        return ranks
