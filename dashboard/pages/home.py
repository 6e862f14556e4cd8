"""The first page: the list that follows, and what else there is to play."""

from collections.abc import Sequence
from typing import Any, Final

from dash import html

from dashboard import ids
from dashboard.live import FOR_YOU, HOME_SHELVES, HORIZONS
from dashboard.marks import marks
from segue.roles import Identity

_HORIZONS: Final = (
    ("now", "Now", "Your last few plays"),
    ("today", "Today", "The last 24 hours"),
    ("always", "Always", "All that you ever played"),
)
VIEWS: Final = f"{FOR_YOU} {HORIZONS} {HOME_SHELVES}"
"""What of it is live."""
_HOW_TRENDING: Final = "Played more than the day before"


async def page(_identity: Identity, _key: str) -> html.Div:
    """Return the page; its content comes by push, that of who has logged in."""
    aside = html.Div([_keep_listening(), _trending()], className="beside")
    return html.Div(
        [
            html.Div([_for_you(), aside], className="columns"),
            _horizons(),
            _new(),
        ],
        className="home",
        **marks(data_live=VIEWS, data_title="Home"),
    )


def _for_you() -> html.Section:
    head = [
        html.H1("For you", id="for-you-title"),
        html.P(id=ids.FOR_YOU_FACTS, className="facts"),
    ]
    changed = html.Details(
        [
            html.Summary(id=ids.FOR_YOU_CHANGE),
            html.Dl(id=ids.FOR_YOU_CHANGED_TRACKS),
        ],
        id=ids.FOR_YOU_CHANGED,
        className="changed",
        hidden=True,
    )
    return html.Section(
        [
            html.Div(head, className="head"),
            changed,
            html.P(id=ids.FOR_YOU_NOTE, className="note", role="status"),
            html.Ol(
                id=ids.FOR_YOU,
                className="tracks",
                **_drawn("for-you", "for-you-title"),
            ),
            html.Button(
                "Show all",
                type="button",
                className="more",
                **marks(
                    data_do="show-all", aria_expanded="false", aria_controls=ids.FOR_YOU
                ),
            ),
        ],
        className="for-you",
    )


def _horizons() -> html.Section:
    lists = [
        html.Section(
            [
                html.H3(title, id=f"home-{name}-title"),
                html.P(words, className="facts"),
                _compact(ids.HORIZON_LISTS[name], f"home-{name}", f"home-{name}-title"),
            ]
        )
        for name, title, words in _HORIZONS
    ]
    return html.Section(
        [
            html.H2("Your taste, by how far it reaches back", id="horizons-title"),
            html.Div(lists, className="horizons"),
        ],
        **marks(aria_labelledby="horizons-title"),
    )


def _keep_listening() -> html.Section:
    return _section(
        "Keep listening",
        "keep-title",
        [
            _compact(ids.KEPT_TRACKS, "keep-listening", "keep-title"),
            _shelf(ids.KEPT_CARDS, "Albums, artists and playlists heard in part"),
        ],
    )


def _trending() -> html.Section:
    return _section(
        "Trending",
        "trending-title",
        [
            html.P(_HOW_TRENDING, className="facts"),
            _compact(ids.TRENDING, "trending", "trending-title"),
        ],
    )


def _new() -> html.Section:
    browse = html.A("Browse the library", href="/search", className="browse")
    return html.Section(
        [
            html.Div([html.H2("New in the library"), browse], className="head"),
            _shelf(ids.NEW_CARDS, "New in the library"),
        ]
    )


def _section(title: str, name: str, content: Sequence[Any]) -> html.Section:
    return html.Section([html.H2(title, id=name), *content])


def _compact(name: str, track_list: str, title: str) -> html.Ul:
    return html.Ul(id=name, className="tracks compact", **_drawn(track_list, title))


def _drawn(track_list: str, title: str) -> dict[str, Any]:
    """Return the marks of a list whose rows `browser/pages/rows.js` draws."""
    return marks(
        data_drawn="",
        data_track_list=track_list,
        data_surface="home",
        aria_labelledby=title,
    )


def _shelf(name: str, label: str) -> html.Div:
    """Return cards in a row, which scrolls by itself where it is longer."""
    cards = html.Ul(id=name, className="cards in-a-row", **marks(data_drawn=""))
    return html.Div(
        cards,
        className="scroller",
        role="region",
        tabIndex="0",
        **marks(aria_label=label),
    )
