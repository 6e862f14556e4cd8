"""The frame around every page: header, navigation, and the router between pages."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import unquote

import dash_mantine_components as dmc  # type: ignore[import-untyped]
from dash import Dash, Input, Output, dcc, html
from pymongo.errors import PyMongoError

from dashboard import ids
from dashboard.access import asking, who_asks
from dashboard.marks import marks
from dashboard.pages import shelves
from segue.roles import Identity, Role

_FONT: Final = 'ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, sans-serif'

Layout = Callable[[Identity, str], Awaitable[html.Div]]
"""Returns a page for who asks, and for the key in its address ("" where none is)."""


class _Way(NamedTuple):
    """An entry of the navigation."""

    text: str
    href: str
    icon: str
    role: Role = Role.LISTENER


_WAYS: Final = (
    _Way("Home", "/", "home"),
    _Way("Search", "/search", "search"),
    _Way("Radio", "/radio", "radio"),
    _Way("Playlists", "/playlists", "playlists"),
    _Way("Liked", "/liked", "liked"),
    _Way("History", "/history", "history"),
    _Way("Blocked", "/blocked", "blocked"),
    _Way("Analytics", "/analytics", "analytics", Role.ANALYST),
    _Way("Settings", "/settings", "settings"),
)


def layout() -> dmc.MantineProvider:
    """Return the frame for who asks."""
    identity = asking()
    return dmc.MantineProvider(
        [
            dcc.Location(id=ids.LOCATION),
            dmc.AppShell(
                [
                    dmc.AppShellHeader(_header(identity)),
                    dmc.AppShellMain(
                        html.Div([_navigation(identity), _main()], className="frame")
                    ),
                ],
                header={"height": 60},
                padding=0,
            ),
        ],
        defaultColorScheme="auto",
        theme={"primaryColor": "orange", "defaultRadius": "md", "fontFamily": _FONT},
    )


def bare(identity: Identity) -> html.Div:
    """Return the frame without Mantine, for the time before Dash has begun."""
    header = html.Header(_header(identity), className="mantine-AppShell-header")
    parts = [_navigation(identity), _main()]
    main = html.Main(html.Div(parts, className="frame"))
    return html.Div([header, main], className="bare")


def register(app: Dash, layouts: Mapping[str, Layout]) -> None:
    """Add the router.

    Parameters
    ----------
    layouts : mapping
        By the first word of the address, "" for the first page.
    """

    @app.callback(Output(ids.CONTENT, "children"), Input(ids.LOCATION, "pathname"))
    async def show_page(pathname: Any) -> html.Div:
        # half a pair of surrogates is no text that MongoDB takes
        path = str(pathname).encode("utf-8", "replace").decode()
        return await page_of(path, who_asks(), layouts)


async def page_of(
    pathname: str, identity: Identity, layouts: Mapping[str, Layout]
) -> html.Div:
    """Return the page at an address, for who asks.

    It bears its address: `browser/pages/live.js` asks again where it did not come.
    """
    name, _, key = pathname.removeprefix("/").partition("/")
    read = layouts.get(name, layouts[""])
    try:
        page = await read(identity, unquote(key))
    except PyMongoError:
        return shelves.away()
    setattr(page, "data-at", pathname)
    return page


def _header(identity: Identity | None) -> html.Div:
    name = "" if identity is None else identity.user_id
    own = html.A(name, href="/settings", className="nav own", title="Settings")
    return html.Div(
        [
            html.A(
                [html.Span(className="brand-mark"), "Segue"],
                href="/",
                className="brand",
            ),
            own,
        ],
        className="header",
    )


def _navigation(identity: Identity | None) -> html.Nav:
    role = Role.LISTENER if identity is None else identity.role
    ways = [_nav(way) for way in _WAYS if role.may(way.role)]
    return html.Nav(ways, className="ways", **marks(aria_label="Pages"))


def _nav(way: _Way) -> html.A:
    # `browser/pages/live.js` opens it without a reload
    icon = html.Span(className=f"icon icon-{way.icon}")
    return html.A([icon, way.text], href=way.href, className="nav")


def _main() -> html.Div:
    return html.Div(id=ids.CONTENT, className="content")
