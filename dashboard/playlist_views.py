"""What the pages of playlists show at this moment, for the hub."""

from pymongo.asynchronous.database import AsyncDatabase

from dashboard import ids
from dashboard.live import LivePage, View
from dashboard.pages.playlists import ALL, ONE, cards, facts, mosaic
from dashboard.playlists import Playlists
from dashboard.refusals import RefusedError
from dashboard.subscriber import Properties
from dashboard.views import as_text
from segue import store
from segue.clock import Clock
from segue.store import Document


class PlaylistViews:
    """Renders the pages of playlists."""

    def __init__(self, database: AsyncDatabase[Document], clock: Clock) -> None:
        self._playlists = Playlists(database, clock)

    def pages(self) -> dict[str, LivePage]:
        """Return the pages that are pushed, by name."""
        shows = frozenset({store.PLAYLISTS})
        return {
            ALL: LivePage(self._all, shows, pause_s=0.1),
            ONE: LivePage(self._one, shows, pause_s=0.1),
        }

    async def _all(self, view: View) -> Properties:
        found = await self._playlists.read_all(view.listener)
        return as_text({ids.PLAYLISTS: {"children": cards(found)}})

    async def _one(self, view: View) -> Properties:
        """Return what stands around the rows; the page reads these by the version."""
        try:
            playlist = await self._playlists.read(view.listener, view.key)
        except RefusedError:  # deleted
            return as_text({ids.PLAYLIST: {"data-version": "0"}})
        covers = await self._playlists.read_covers(playlist)
        return as_text(
            {
                ids.PLAYLIST: {"data-version": str(playlist.version)},
                ids.PLAYLIST_NAME: {"children": playlist.name},
                ids.PLAYLIST_PAGE: {"data-title": playlist.name},
                ids.PLAYLIST_FACTS: {
                    "children": facts(len(playlist.track_ids), playlist.duration_ms)
                },
                ids.PLAYLIST_COVERS: {"children": mosaic(covers)},
            }
        )
