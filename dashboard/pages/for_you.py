"""The listener's page: the list that follows, and the library."""

from typing import Any, Final

import dash_mantine_components as dmc  # type: ignore[import-untyped]
from dash import Dash, Input, Output, dcc, html
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import PyMongoError

from dashboard import ids
from dashboard.live import FOR_YOU
from dashboard.marks import marks
from dashboard.queries import MAX_LIBRARY_ROWS, read_library
from dashboard.rows import empty_row, track_rows
from dashboard.search import MAX_SEARCH_CHARS
from segue.store import Document

_PAGE_ROWS: Final = 40


def layout() -> html.Div:
    """Return the page; its content comes by push, that of who has logged in."""
    return html.Div(
        [_for_you(), _library()],
        className="columns",
        **marks(data_live=FOR_YOU, data_title="For you"),
    )


def register(app: Dash, database: AsyncDatabase[Document]) -> None:
    """Add the callbacks of the library."""

    @app.callback(
        Output(ids.LIBRARY, "children"),
        Output(ids.LIBRARY_COUNT, "children"),
        Output(ids.LIBRARY_MORE, "style"),
        Input(ids.LIBRARY_SEARCH, "value"),
        Input(ids.LIBRARY_MORE, "n_clicks"),
        Input(ids.LIBRARY_STAMP, "data"),
    )
    async def show_library(search: Any, n_clicks: Any, _stamp: Any) -> tuple[Any, ...]:
        said = search if isinstance(search, str) else ""
        text = said.encode("utf-8", "replace").decode()
        n_more = n_clicks if isinstance(n_clicks, int) else 0
        return await library_content(database, text, _PAGE_ROWS * (1 + max(0, n_more)))


async def library_content(
    database: AsyncDatabase[Document], search: str, limit: int
) -> tuple[list[html.Li], str, dict[str, str]]:
    """Return the rows, the count and the style of "Show more" for a search."""
    hidden = {"display": "none"}
    try:
        page = await read_library(database, search, limit)
    except PyMongoError:
        return (
            [empty_row("The library is away", "It comes back by itself.")],
            "",
            hidden,
        )
    count = f"{page.n_found:,} track{'' if page.n_found == 1 else 's'}"
    if not page.tracks:
        tip = (
            "Try fewer letters." if search else "Scan a folder: segue library scan DIR"
        )
        return [empty_row("Nothing found", tip)], count, hidden
    is_all = len(page.tracks) >= min(page.n_found, MAX_LIBRARY_ROWS)
    return track_rows(page.tracks), count, hidden if is_all else {}


def _for_you() -> html.Section:
    return html.Section(
        [
            html.Div(
                [
                    html.Div(
                        [
                            html.H1("For you", id="for-you-title"),
                            html.P(id=ids.FOR_YOU_FACTS, className="facts"),
                        ]
                    ),
                ],
                className="head",
            ),
            html.P(id=ids.FOR_YOU_NOTE, className="note", role="status"),
            html.Ol(  # its rows are drawn by assets/rows.js
                id=ids.FOR_YOU,
                className="tracks",
                **marks(data_track_list="for-you", aria_labelledby="for-you-title"),
            ),
        ],
        className="for-you",
    )


def _library() -> html.Section:
    return html.Section(
        [
            html.Div(
                [
                    html.H2("Library", id="library-title"),
                    html.P(id=ids.LIBRARY_COUNT, className="facts", role="status"),
                ],
                className="head",
            ),
            dmc.TextInput(
                id=ids.LIBRARY_SEARCH,
                placeholder="Search title, artist, album or style",
                debounce=150,
                inputProps={"maxLength": MAX_SEARCH_CHARS, "type": "search"},
                **{"aria-label": "Search the library"},
            ),
            html.Ul(
                _waiting(),
                id=ids.LIBRARY,
                className="tracks compact",
                **marks(data_track_list="library", aria_labelledby="library-title"),
            ),
            html.Button(
                "Show more",
                id=ids.LIBRARY_MORE,
                className="more",
                type="button",
                style={"display": "none"},
            ),
            dcc.Store(id=ids.LIBRARY_STAMP),
        ],
        className="library",
    )


def _waiting() -> list[html.Li]:
    return [html.Li(className="track ghost", **marks(aria_hidden="true"))] * 6
