"""Now, today, always: what each horizon of a taste likes by itself."""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from pymongo.asynchronous.database import AsyncDatabase

from dashboard.kept_out import KeptOut
from dashboard.queries import read_cards
from dashboard.records import ShortList, TrackCard
from models.horizons import Horizon
from models.one_horizon import lists_of
from models.taste import Taste
from models.taste_fields import taste_in
from segue import store
from segue.clock import Clock
from segue.errors import IndexMissingError
from segue.settings import TasteSettings
from segue.store import Document
from segue.track_index import TrackIndex, is_in_space, read_track_index

SHOWN: Final = (Horizon.NOW, Horizon.TODAY, Horizon.ALWAYS)
N_TRACKS: Final = 6
# of what is near some has left the library, or is the same title once more
_SPARE: Final = 3
_SILENT: Final[Mapping[Horizon, str]] = {
    Horizon.NOW: "Nothing is playing. Press play on anything.",
    Horizon.TODAY: "Nothing heard today yet.",
    Horizon.ALWAYS: "Nothing heard yet.",
}
_NO_INDEX: Final = "The music was not analysed yet."
_ANOTHER_SPACE: Final = "The music was analysed anew: this comes with your next play."
_ONLY_SKIPS: Final = "Only skips so far: they say what to leave out."
_ALL_OUT: Final = "All that is near was just heard, or is not wanted."

ShortLists = dict[Horizon, ShortList]


class HorizonLists:
    """Makes the three lists from the stored taste and the track index.

    Parameters
    ----------
    home : Path
        Folder of Segue's own state.
    """

    def __init__(
        self,
        database: AsyncDatabase[Document],
        home: Path,
        settings: TasteSettings,
        kept_out: KeptOut,
        clock: Clock,
    ) -> None:
        self._database, self._home = database, home
        self._settings, self._kept_out, self._clock = settings, kept_out, clock

    async def read(self, listener: str) -> ShortLists:
        """Return a listener's list, or why there is none, of each horizon."""
        document = await self._database[store.TASTES].find_one({"_id": listener})
        if document is None:
            return {each: ShortList([], _SILENT[each]) for each in SHOWN}
        try:
            index = await asyncio.to_thread(read_track_index, self._home / "index")
        except IndexMissingError:
            return {each: ShortList([], _NO_INDEX) for each in SHOWN}
        version = document["index_version"]
        if not await asyncio.to_thread(
            is_in_space, self._home / "index", version, index
        ):
            return {each: ShortList([], _ANOTHER_SPACE) for each in SHOWN}
        now, since = self._clock(), timedelta(seconds=self._settings.horizon_s)
        is_recent = now - document["newest_event_at"] < since
        silent = silences(document["horizons"], is_recent)
        speaking = {
            each: taste_in(document["horizons"][each])
            for each in SHOWN
            if each not in silent
        }
        lists = await self._lists(listener, speaking, index, now) if speaking else {}
        return {
            each: ShortList([], silent[each]) if each in silent else lists[each]
            for each in SHOWN
        }

    async def _lists(
        self,
        listener: str,
        tastes: Mapping[Horizon, Taste],
        index: TrackIndex,
        now: datetime,
    ) -> ShortLists:
        out = await self._kept_out.rows(listener, index, now)
        groups = await self._kept_out.groups(index)
        n = N_TRACKS + _SPARE
        liked = await asyncio.to_thread(
            lists_of, [*tastes.values()], out, index, groups, self._settings, n
        )
        cards = await read_cards(
            self._database, {name for ids in liked for name in ids}
        )
        return {
            each: _short([cards[name] for name in ids if name in cards])
            for each, ids in zip(tastes, liked, strict=True)
        }


def silences(horizons: Mapping[str, Any], is_recent: bool) -> dict[Horizon, str]:
    """Return for each horizon without evidence what is said in the place of a list.

    Parameters
    ----------
    horizons : mapping
        That of a document in `tastes`, which is as of its newest event.
    is_recent : bool
        That event is not older than what `now` and `today` reach back.

    Examples
    --------
    >>> heard = {"weight": 1.0, "negative_weight": 0.0}
    >>> taste = dict.fromkeys(("now", "today", "always"), heard)
    >>> silences(taste, is_recent=True)
    {}
    >>> old = silences(taste, is_recent=False)
    >>> old[Horizon.TODAY], Horizon.ALWAYS in old
    ('Nothing heard today yet.', False)
    """
    silent: dict[Horizon, str] = {}
    for each in SHOWN:
        told = horizons[each]
        if each is not Horizon.ALWAYS and not is_recent:
            silent[each] = _SILENT[each]
        elif told["weight"] <= 0:
            silent[each] = _ONLY_SKIPS if told["negative_weight"] else _SILENT[each]
    return silent


def _short(cards: list[TrackCard]) -> ShortList:
    return ShortList(cards[:N_TRACKS], "" if cards else _ALL_OUT)
