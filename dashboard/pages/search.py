"""The search page: answers come while one types."""

from typing import Any

import dash_mantine_components as dmc  # type: ignore[import-untyped]
from dash import ClientsideFunction, Dash, Input, Output, html
from pymongo.errors import PyMongoError

from dashboard import ids
from dashboard.access import who_asks
from dashboard.catalogue import Catalogue
from dashboard.marks import marks
from dashboard.pages import shelves
from dashboard.rows import empty_row
from dashboard.search import MAX_SEARCH_CHARS
from segue.roles import Identity


async def page(_identity: Identity, _key: str) -> html.Div:
    """Return the page."""
    return html.Div(
        [
            html.H1("Search"),
            dmc.TextInput(
                id=ids.SEARCH,
                placeholder="Tracks, artists, albums, styles; typos are forgiven",
                debounce=120,
                inputProps={
                    "maxLength": MAX_SEARCH_CHARS,
                    "type": "search",
                    "autoFocus": True,
                },
                **{"aria-label": "Search"},
            ),
            html.Div(id=ids.FOUND, **marks(aria_live="polite")),
        ],
        className="shelf",
        **marks(data_title="Search"),
    )


def register(app: Dash, catalogue: Catalogue) -> None:
    """Add the callbacks: the query is in the address (`browser/pages/search.js`)."""
    app.clientside_callback(  # type: ignore[no-untyped-call]
        ClientsideFunction("segue", "asked"),
        Output(ids.SEARCH, "value"),
        Input(ids.SEARCH, "id"),
    )

    @app.callback(Output(ids.FOUND, "children"), Input(ids.SEARCH, "value"))
    async def show_found(text: Any) -> list[Any]:
        who_asks()
        sought = text if isinstance(text, str) else ""
        try:
            if not sought.strip():
                return shelves.sections(await catalogue.genres())
            return shelves.sections(await catalogue.search(sought))
        except PyMongoError:
            away = empty_row("The library is away", "It comes back by itself.")
            return [html.Ul([away])]
