"""What is a listener's own: Liked, History, Blocked; the content comes by push."""

from typing import Any

from dash import html

from dashboard import ids
from dashboard.marks import marks
from dashboard.own_views import BLOCKED, HISTORY, LIKED, PAGE_ROWS
from segue.roles import Identity


async def liked_page(_identity: Identity, _key: str) -> html.Div:
    """Return the page of what who asks likes."""
    plays = [
        html.Button(text, type="button", className="flat", **marks(data_do=do))
        for text, do in (("Play all", "play-all"), ("Shuffle", "shuffle-all"))
    ]
    head = [
        html.H1("Liked"),
        html.P(id=ids.LIKED_FACTS, className="facts"),
        html.Div(plays, className="plays"),
    ]
    rows = _rows(ids.LIKED, "What you like")
    content = [html.Div(head), rows, _more(ids.LIKED_MORE)]
    return _page("Liked", LIKED, str(PAGE_ROWS), [html.Section(content)])


async def history_page(_identity: Identity, _key: str) -> html.Div:
    """Return the page of what who asks has heard."""
    words = "What you have heard. What you forget here counts no more, at once."
    head = [html.H1("History"), html.P(words, className="facts")]
    content = [
        html.Div(head),
        html.Div(id=ids.HISTORY_NOTE, className="told", role="status"),
        _rows(ids.HISTORY, "What you have heard"),
        _more(ids.HISTORY_MORE),
    ]
    # `browser/pages/said.js` puts the browser's time zone there
    return _page("History", HISTORY, f"{PAGE_ROWS} UTC", content)


async def blocked_page(_identity: Identity, _key: str) -> html.Div:
    """Return the page of what who asks has blocked."""
    words = "What stays out of your lists until you unblock it."
    head = [html.H1("Blocked"), html.P(words, className="facts")]
    content = [html.Div(head), _rows(ids.BLOCKED, "What is blocked")]
    return _page("Blocked", BLOCKED, "", content)


def _page(title: str, view: str, key: str, content: list[Any]) -> html.Div:
    named = marks(data_live=view, data_live_key=key, data_title=title)
    return html.Div(content, className=f"mine mine-{view}", **named)


def _rows(name: str, label: str) -> html.Ul:
    # drawn by browser/pages/rows.js
    return html.Ul(
        id=name,
        className="tracks compact",
        **marks(
            data_track_list=name, data_surface=name, data_drawn="", aria_label=label
        ),
    )


def _more(name: str) -> html.Button:
    return html.Button(
        "Show more",
        id=name,
        className="more",
        type="button",
        style={"display": "none"},
        **marks(data_do="more"),
    )
