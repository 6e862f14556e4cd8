"""The frame around every page: header, navigation, and the router between pages."""

from typing import Any, Final
from urllib.parse import parse_qs

import dash_mantine_components as dmc  # type: ignore[import-untyped]
from dash import ClientsideFunction, Dash, Input, Output, ctx, dcc, html

from dashboard import ids
from dashboard.listeners import COOKIE, chosen_listener
from dashboard.marks import marks
from dashboard.pages import analytics, for_you

_FONT: Final = 'ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, sans-serif'


def layout() -> dmc.MantineProvider:
    """Return the frame."""
    return dmc.MantineProvider(
        [
            dcc.Location(id=ids.LOCATION),
            dmc.AppShell(
                [dmc.AppShellHeader(_header()), dmc.AppShellMain(_main())],
                header={"height": 60},
                padding=0,
            ),
        ],
        forceColorScheme="dark",
        theme={"primaryColor": "orange", "defaultRadius": "md", "fontFamily": _FONT},
    )


def register(app: Dash) -> None:
    """Add the router, and the switch between listeners."""

    @app.callback(
        Output(ids.CONTENT, "children"),
        Input(ids.LOCATION, "pathname"),
        Input(ids.LOCATION, "search"),
    )
    async def show_page(pathname: Any, search: Any) -> html.Div:
        return page_of(str(pathname), str(search or ""), ctx.cookies.get(COOKIE))

    app.clientside_callback(  # type: ignore[no-untyped-call]
        ClientsideFunction("segue", "switchListener"),
        Output(ids.LOCATION, "search"),
        Input(ids.LISTENER, "value"),
        prevent_initial_call=True,
    )


def page_of(pathname: str, search: str, remembered: str | None) -> html.Div:
    """Return the page at an address, for the listener named there or remembered."""
    if pathname == "/analytics":
        return analytics.layout()
    asked = parse_qs(search.removeprefix("?"), max_num_fields=20).get("listener", [])
    return for_you.layout(chosen_listener(asked[0] if asked else None, remembered))


def _header() -> html.Div:
    return html.Div(
        [
            dcc.Link(
                [html.Span(className="brand-mark"), "Segue"],
                href="/",
                className="brand",
            ),
            html.Nav(
                [
                    dcc.Link("For you", href="/", className="nav"),
                    dcc.Link("Analytics", href="/analytics", className="nav"),
                ],
                **marks(aria_label="Pages"),
            ),
        ],
        className="header",
    )


def _main() -> html.Div:
    return html.Div(id=ids.CONTENT, className="content")
