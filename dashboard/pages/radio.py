"""The radio's page: which station is on, its dials, and what comes next.

`browser/pages/radio_page.js` fills it: what comes next is known to the player alone.
"""

from typing import Any

from dash import html

from dashboard.marks import marks
from segue.roles import Identity


async def page(_identity: Identity, _key: str) -> html.Div:
    """Return the page."""
    return html.Div(
        [
            html.Div(
                [
                    _station(),
                    html.P(id="radio-change", className="facts", role="status"),
                    html.Ol(
                        id="radio-list",
                        className="tracks",
                        **marks(
                            data_track_list="radio",
                            data_surface="radio",
                            aria_label="What comes next",
                        ),
                    ),
                    html.P(id="radio-empty", className="empty"),
                ],
                className="radio-next",
            ),
            html.Div(
                [
                    _panel("Dials", html.Div(id="radio-dials")),
                    _panel("Recent stations", html.Ul(id="radio-recent")),
                ],
                className="radio-side",
            ),
        ],
        id="radio",
        **marks(data_title="Radio"),
    )


def start_button(kind: str, key: str, name: str) -> html.Button:
    """Return a button that starts a radio; `browser/pages/radio.js` answers it."""
    return html.Button(
        [html.Span(className="icon icon-radio"), "Start radio"],
        type="button",
        className="radio-start",
        **marks(
            data_do="radio",
            data_radio_kind=kind,
            data_radio_key=key,
            data_radio_name=name,
            aria_label=f"Start radio from {name}",
        ),
    )


def _station() -> html.Div:
    mine = html.Button(
        [html.Span(className="icon icon-radio"), "My taste now"],
        type="button",
        className="radio-start",
        **marks(
            data_do="radio", data_radio_kind="taste", data_radio_name="My taste now"
        ),
    )
    stop = html.Button(
        "Stop",
        type="button",
        id="radio-stop",
        className="radio-start quiet",
        hidden=True,
        **marks(data_do="radio-stop", aria_label="Stop the radio"),
    )
    words = html.Div(
        [html.P(id="radio-kind", className="facts"), html.H1("Radio", id="radio-name")]
    )
    return html.Div(
        [
            html.Span(html.Span(className="icon icon-radio"), className="radio-mark"),
            words,
            html.Div([mine, stop], className="radio-acts"),
        ],
        className="radio-head",
    )


def _panel(title: str, content: Any) -> html.Section:
    return html.Section([html.H2(title), content], className="panel")
