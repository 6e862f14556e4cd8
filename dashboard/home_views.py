"""What the first page shows beside the list of recommendations, at a slower pace."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from dash import html
from pymongo.asynchronous.database import AsyncDatabase

from dashboard import ids, rows
from dashboard.horizon_lists import HorizonLists
from dashboard.keep_listening import KeepListening, read_keep_listening
from dashboard.kept_out import KeptOut
from dashboard.live import HOME_SHELVES, HORIZONS, LivePage, View
from dashboard.newest import read_newest
from dashboard.pages.shelves import card_item
from dashboard.records import Card, NotedTrack
from dashboard.subscriber import Properties
from dashboard.trending import Trending
from dashboard.views import as_text
from segue import store
from segue.clock import Clock
from segue.errors import IndexMissingError
from segue.settings import Settings
from segue.store import Document
from segue.track_index import read_track_index

_N_TRENDING: Final = 6
_NO_TRENDS: Final = "Nothing is played more than before, by three listeners or more."
_NOTHING_LEFT: Final = "What you leave in the middle waits here."
_NOTHING_NEW: Final = "Nothing was added yet."


class HomeViews:
    """Renders the sections of the first page."""

    def __init__(
        self,
        database: AsyncDatabase[Document],
        settings: Settings,
        kept_out: KeptOut,
        clock: Clock,
    ) -> None:
        self._database, self._clock = database, clock
        self._index, self._kept_out = settings.home / "index", kept_out
        self._horizons = HorizonLists(
            database, settings.home, settings.taste, kept_out, clock
        )
        self._trending = Trending(database, clock)

    def pages(self) -> dict[str, LivePage]:
        """Return the sections as pages that are pushed, by name."""
        return {
            HORIZONS: LivePage(
                self._render_horizons,
                frozenset({store.TASTES, store.REACTIONS, store.BLOCKS}),
                pause_s=2.0,
                refresh_s=60.0,  # what was heard comes back
            ),
            HOME_SHELVES: LivePage(
                self._render_shelves,
                frozenset({store.TASTES, store.CATALOGUE}),
                pause_s=5.0,
                refresh_s=30.0,  # what is trending is everybody's
            ),
        }

    async def _render_horizons(self, view: View) -> Properties:
        lists = await self._horizons.read(view.listener)
        return as_text(
            {
                ids.HORIZON_LISTS[horizon.value]: {
                    "children": rows.track_rows(each.tracks) or [_silent(each.silence)]
                }
                for horizon, each in lists.items()
            }
        )

    async def _render_shelves(self, view: View) -> Properties:
        kept, new, trending, unwanted = await asyncio.gather(
            read_keep_listening(self._database, view.listener, self._clock),
            read_newest(self._database),
            self._trending.read(),
            self._unwanted(view.listener),
        )
        return as_text(
            {
                **_kept(kept),
                ids.NEW_CARDS: _cards(new, _NOTHING_NEW),
                ids.TRENDING: _trends(trending, unwanted),
            }
        )

    async def _unwanted(self, listener: str) -> set[str]:
        try:
            index = await asyncio.to_thread(read_track_index, self._index)
        except IndexMissingError:
            return set()
        return await self._kept_out.unwanted(listener, index)


def _kept(kept: KeepListening) -> dict[str, dict[str, Any]]:
    is_empty = not kept.tracks and not kept.cards
    return {
        ids.KEPT_TRACKS: {
            "children": [_silent(_NOTHING_LEFT)]
            if is_empty
            else rows.noted_rows(kept.tracks)
        },
        ids.KEPT_CARDS: _cards(kept.cards),
    }


def _cards(cards: Sequence[Card], silence: str = "") -> dict[str, Any]:
    shown = [card_item(card) for card in cards]
    return {"children": shown or ([_silent(silence)] if silence else [])}


def _trends(tracks: Sequence[NotedTrack], unwanted: set[str]) -> dict[str, Any]:
    shown = [each for each in tracks if each.track.track_id not in unwanted]
    return {"children": rows.noted_rows(shown[:_N_TRENDING]) or [_silent(_NO_TRENDS)]}


def _silent(sentence: str) -> html.Li:
    return html.Li(sentence, className="silent")
