"""Every page by the first word of its address; `dashboard/access.py` has them too."""

from dashboard.analytics import page as analytics
from dashboard.catalogue import Catalogue
from dashboard.pages import (
    home,
    own,
    own_settings,
    playlists,
    radio,
    search,
    shelves,
)
from dashboard.pages.frame import Layout
from dashboard.playlists import Playlists


def page_layouts(catalogue: Catalogue, kept: Playlists) -> dict[str, Layout]:
    """Return what makes each page, "" for the first one."""
    return {
        "": home.page,
        "album": shelves.page_of("album", catalogue.album),
        "analytics": analytics.page,
        "artist": shelves.page_of("artist", catalogue.artist),
        "blocked": own.blocked_page,
        "genre": shelves.page_of("style", catalogue.genre),
        "history": own.history_page,
        "liked": own.liked_page,
        "radio": radio.page,
        "search": search.page,
        "settings": own_settings.page,
        "track": shelves.page_of("track", catalogue.track),
        **playlists.layouts(kept),
    }
