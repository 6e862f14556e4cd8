"""The frame around every page: header, navigation, and the router between pages."""

from collections.abc import Awaitable, Callable
from typing import Any, Final
from urllib.parse import unquote

import dash_mantine_components as dmc  # type: ignore[import-untyped]
from dash import Dash, Input, Output, dcc, html
from pymongo.errors import PyMongoError

from dashboard import ids
from dashboard.access import asking, who_asks
from dashboard.catalogue import Catalogue
from dashboard.marks import marks
from dashboard.pages import account, analytics, for_you, search, shelves
from dashboard.records import Shelf
from segue.roles import Identity, Role

_FONT: Final = 'ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, sans-serif'


def layout() -> dmc.MantineProvider:
    """Return the frame for who asks."""
    identity = asking()
    return dmc.MantineProvider(
        [
            dcc.Location(id=ids.LOCATION),
            dmc.AppShell(
                [dmc.AppShellHeader(_header(identity)), dmc.AppShellMain(_main())],
                header={"height": 60},
                padding=0,
            ),
        ],
        forceColorScheme="dark",
        theme={"primaryColor": "orange", "defaultRadius": "md", "fontFamily": _FONT},
    )


def register(app: Dash, catalogue: Catalogue) -> None:
    """Add the router."""

    @app.callback(Output(ids.CONTENT, "children"), Input(ids.LOCATION, "pathname"))
    async def show_page(pathname: Any) -> html.Div:
        # half a pair of surrogates is no text that MongoDB takes
        path = str(pathname).encode("utf-8", "replace").decode()
        return await page_of(path, who_asks(), catalogue)


async def page_of(pathname: str, identity: Identity, catalogue: Catalogue) -> html.Div:
    """Return the page at an address, for who asks."""
    if pathname == "/account":
        return account.layout(identity)
    if pathname == "/search":
        return search.layout()
    if pathname == "/analytics":
        may_see = identity.role.may(Role.ANALYST)
        return analytics.layout() if may_see else analytics.for_others()
    _, what, *key = pathname.split("/", 2) if pathname.count("/") > 1 else ("", "")
    readers = {
        "artist": catalogue.artist,
        "album": catalogue.album,
        "genre": catalogue.genre,
        "track": catalogue.track,
    }
    if what in readers:
        return await _shelf_of(what, readers[what], unquote(key[0]))
    return for_you.layout()


async def _shelf_of(
    what: str, read: Callable[[str], Awaitable[Shelf | None]], key: str
) -> html.Div:
    try:
        shelf = await read(key)
    except PyMongoError:
        return shelves.away()
    return shelves.nothing_there(what) if shelf is None else shelves.layout(shelf)


def _header(identity: Identity | None) -> html.Div:
    links = [_nav("For you", "/"), _nav("Search", "/search")]
    if identity is not None and identity.role.may(Role.ANALYST):
        links.append(_nav("Analytics", "/analytics"))
    name = "" if identity is None else identity.user_id
    own = html.A(name, href="/account", className="nav own", title="Account")
    return html.Div(
        [
            html.A(
                [html.Span(className="brand-mark"), "Segue"],
                href="/",
                className="brand",
            ),
            html.Nav([*links, own], **marks(aria_label="Pages")),
        ],
        className="header",
    )


def _nav(text: str, href: str) -> html.A:
    # `assets/live.js` opens it without a reload
    return html.A(text, href=href, className="nav")


def _main() -> html.Div:
    return html.Div(id=ids.CONTENT, className="content")
